#include <libzoo/nn/nn.h>
