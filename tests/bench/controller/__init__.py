"""How the controller does with thousands of Functions."""
