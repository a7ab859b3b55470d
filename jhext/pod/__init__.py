"""The pod of one person: what identity makes of a manifest, and the last check before it is sent.

Everything here works on the plain form of a manifest, dicts and lists with Kubernetes' own keys, as
``ApiClient.sanitize_for_serialization`` gives it. That is what is sent, so that nothing can differ
between what was checked and what arrives; it is the only form in which what KubeSpawner builds as
objects and what operators add as dicts look the same; and it takes a sixth of the time that
serialising the objects takes, which is then done once instead of at every retry.
"""
