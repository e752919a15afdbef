"""A local Azure: the REST protocol, the resource providers, the network and the machines of the lab.

It knows nothing of the program that uses it; of plstui it imports the resource ids only.
"""
