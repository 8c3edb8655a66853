"""Real records beside the checkout, and what is made of them."""
