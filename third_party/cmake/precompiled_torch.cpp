// Owns the precompiled header that the rooms share.
