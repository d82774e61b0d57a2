#include <libzoo/bit/bit.h>
