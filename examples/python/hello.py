def handler(event, context):
    name = event["data"].decode() if event["data"] else "world"
    return f"Hello {name} from {context['function-name']}"
