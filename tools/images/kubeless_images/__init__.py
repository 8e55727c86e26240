"""Build and push the images of Kubeless.

The model: the *table* says which images there are, an image's *input hash*
covers everything that decides its content (Dockerfile, filtered context, build
arguments, base image), and the hash is its tag. An image whose tag the engine
already holds is up to date by definition.

    table   runtimes.yaml and the components' Dockerfiles -> Image
    context .dockerignore -> the files of a build context -> digest
    host    what the host's network needs -> files mounted into build steps
    engine  docker or buildah: has, build, tag, push
    base    debian:<suite>-slim, pulled or bootstrapped
    plan    Image + base -> tags, the values file (pure)
    cli     the commands
"""
