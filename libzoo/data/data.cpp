#include <libzoo/data/data.h>
