"""What a deployment costs a month: an estate, list prices, and the arithmetic between them."""
