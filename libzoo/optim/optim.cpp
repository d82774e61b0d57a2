#include <libzoo/optim/optim.h>
