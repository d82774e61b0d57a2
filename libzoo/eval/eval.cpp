#include <libzoo/eval/eval.h>
