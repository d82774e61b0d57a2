// Damage of the kinds that files suffer and attackers make.
#pragma once

#include "test/fuzz/target.h"

#include <libzoo/core/random.h>

namespace zoo::fuzz {

// One to four changes: cut, flipped bits, changed bytes, extreme values written over a possible length field, a chunk
// repeated or removed, a piece of `other` put in.
Input mutate(Input input, const Input& other, RandomStream& random);

}  // namespace zoo::fuzz
