#include <libzoo/train/train.h>
