"""What did this identity do, where did it start, what could not be seen, and can it be proven?"""
