"""The network: addresses, security rules, load balancing and health, private link, names, outbound access."""
