// Options of `zoo-bit demo`: pre-train once, then fine-tune on a few examples per class, many times.
#pragma once

#include <libzoo/bit/few_shot_options.h>
#include <libzoo/bit/pretrain_options.h>

namespace zoo::bit {

struct DemoOptions : SweepOptions {
  PretrainOptions pretrain;
};

template <class Field>
void fields(Field& field, DemoOptions& o) {
  field("pretrain", o.pretrain, "the network that is transferred");
  fields(field, static_cast<SweepOptions&>(o));
}

}  // namespace zoo::bit
