// The name Json without its definition (2 s of compile time less), for headers that only pass it on.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace zoo {

using Json = nlohmann::ordered_json;

}  // namespace zoo
