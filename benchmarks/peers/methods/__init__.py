"""Methods other than ideal state vectors beside stim and Aer, and the choice of a method beside each."""
