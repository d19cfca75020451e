import os
import signal

# The Pythons that tests start import the wheel too, even those that stand in the checkout.
os.environ["PYTHONSAFEPATH"] = "1"

# A job in the background, or under nohup, has these ignored, and so has all that it starts.
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
    signal.signal(signal.SIGINT, signal.default_int_handler)
