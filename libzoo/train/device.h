// Where a run computes, from what the user wrote.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace zoo::train {

// "auto" (the first GPU if there is one), "cpu", "cuda", "cuda:1". Throws UserError if it is something else or not there.
at::Device resolve_device(const std::string& name);

}  // namespace zoo::train
