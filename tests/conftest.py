import os

# The Pythons that tests start import the wheel too, even those that stand in the checkout.
os.environ["PYTHONSAFEPATH"] = "1"
