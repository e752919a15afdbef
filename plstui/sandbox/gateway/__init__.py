"""The REST protocol of Azure Resource Manager: requests, routing, errors, long-running operations, tokens.

It knows the protocol and no resource type; those are in `providers/` and are registered with the `Router`.
"""
