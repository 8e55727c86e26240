"""JSON in, JSON out: an object's items are added up."""


def total(event, context):
    order = event["data"]
    if not isinstance(order, dict) or "items" not in order:
        return {"error": 'send {"items": [{"price": 1.5, "count": 2}]}'}, 422, {}
    cents = sum(round(item["price"] * 100) * item["count"] for item in order["items"])
    return {"total": cents / 100, "items": len(order["items"])}
