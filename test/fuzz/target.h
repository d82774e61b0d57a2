// A parser under attack: how to feed it, inputs it accepts, and how to reach behind its checksums.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace zoo::fuzz {

using Input = std::vector<uint8_t>;

struct Target {
  std::string name;
  // Parses and reads all of the result; throws zoo::Error for what it refuses. Anything else is a finding.
  std::function<void(std::span<const uint8_t>)> parse;
  std::function<std::vector<Input>()> seeds;  // small valid files, written here
  // The op of the reference cases whose in/bytes are seeds too; empty: none.
  std::string case_op = {};
  // Optional. The parts of a file that lie under a checksum or compression, and the file put together again around
  // changed parts: most mutations of the bytes themselves end at the checksum.
  std::function<std::vector<Input>(const Input&)> open = {};
  std::function<Input(const std::vector<Input>&)> close = {};
};

std::vector<Target> targets();

}  // namespace zoo::fuzz
