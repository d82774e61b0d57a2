// Loads LibTorch and ends.
int main() {}
