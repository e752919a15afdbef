"""The resource providers: what each resource type takes, answers and refuses."""
