"""Infrastructure as code: the bundles of the functions and the stacks that run them."""
