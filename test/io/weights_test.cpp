#include "test/catch.h"
#include "test/io/arrays.h"
#include "test/io/files.h"

#include <ATen/Functions.h>
#include <libzoo/core/error.h>
#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/state_file.h>
#include <libzoo/io/tensor.h>
#include <libzoo/io/weights.h>

using namespace zoo;
using namespace zoo::test;

TEST_CASE("Arrays of every type become tensors and arrays again", "[io]") {
  for (const auto& [name, array] : arrays_of_every_type()) {
    INFO(name);
    const at::Tensor tensor = io::to_tensor(array);
    REQUIRE(io::dtype_of(tensor.scalar_type()) == array.dtype());
    REQUIRE(same(io::to_array(tensor), array));
    REQUIRE(same(io::view_array(tensor), array));
  }
  REQUIRE_THROWS_WITH(io::to_array(at::zeros({2}, at::kComplexFloat)), Contains("cannot be stored"));
}

TEST_CASE("A tensor shares an aligned array and keeps it alive; an unaligned one is copied", "[io]") {
  auto memory = std::make_shared<std::vector<uint8_t>>(64, uint8_t(0));
  std::weak_ptr<void> alive = memory;
  const uint8_t* data = memory->data();
  at::Tensor shared = io::to_tensor(Array(DType::f32, {4}, data, memory));
  at::Tensor copied = io::to_tensor(Array(DType::f32, {4}, data + 1, memory));
  REQUIRE(shared.const_data_ptr() == data);
  REQUIRE(reinterpret_cast<uintptr_t>(copied.const_data_ptr()) % 4 == 0);
  memory.reset();
  REQUIRE_FALSE(alive.expired());
  shared.reset();
  REQUIRE(alive.expired());
}

TEST_CASE("Tensors with any strides become row-major arrays, and copies stay as they were", "[io]") {
  at::Tensor t = at::arange(6, at::kFloat).view({2, 3});
  REQUIRE(io::to_array(t.t()).span<float>()[1] == 3.0f);
  const Array copy = io::to_array(t), view = io::view_array(t);
  t.add_(10);
  REQUIRE(copy.span<float>()[0] == 0.0f);
  REQUIRE(view.span<float>()[0] == 10.0f);
}

TEST_CASE("Weights are read from safetensors, npz and pth, told apart by contents", "[io]") {
  TemporaryFolder folder;
  const Arrays arrays{{"w", random_array(DType::f32, {2, 3}, 1)}, {"n", random_array(DType::i64, {}, 2)}};
  io::write_npz(folder / "a", arrays);
  io::write_pth(folder / "b", arrays);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, array] : arrays) tensors.emplace(name, io::to_tensor(array));
  io::save_weights(folder / "c", tensors, {{"model", "x"}});
  for (const char* name : {"a", "b", "c"}) {
    const auto weights = io::load_weights(folder / name);
    REQUIRE(weights.tensors.size() == 2);
    for (const auto& [key, array] : arrays) REQUIRE(same(io::to_array(weights.tensors.at(key)), array));
  }
  REQUIRE(io::load_weights(folder / "c").metadata.at("model") == "x");
}

TEST_CASE("Changing loaded weights in place leaves their file alone", "[io]") {
  TemporaryFolder folder;
  io::save_weights(folder / "w", {{"w", at::zeros({1000})}});
  {
    auto weights = io::load_weights(folder / "w");
    weights.tensors.at("w").fill_(1.0);
    REQUIRE(weights.tensors.at("w").sum().item<float>() == 1000.0f);
  }
  REQUIRE(io::load_weights(folder / "w").tensors.at("w").sum().item<float>() == 0.0f);
}

TEST_CASE("Files that hold no weights are refused with what they are", "[io]") {
  TemporaryFolder folder;
  const auto refused = [&](const std::string& text, const char* message) {
    std::ofstream(folder / "f", std::ios::binary) << text;
    REQUIRE_THROWS_AS(io::load_weights(folder / "f"), UserError);
    REQUIRE_THROWS_WITH(io::load_weights(folder / "f"), Contains(message));
  };
  refused("", "the header length");
  refused("hello, this is a text", "no safetensors file");
  refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "old form of torch.save");
  refused("\x93NUMPY\x01", "has no name");
  refused("\x89HDF\r\n\x1a\n", "HDF5");
  REQUIRE_THROWS_WITH(io::save_weights(folder / "g", {{"z", at::zeros({1}, at::kComplexFloat)}}), Contains("tensor 'z'"));
}

TEST_CASE("State survives a file: arrays, and values of every kind in their order", "[io]") {
  TemporaryFolder folder;
  State state;
  state.arrays = arrays_of_every_type();
  state.values = Json::parse(
      R"({"step": 18446744073709551615, "rate": 0.1, "name": "é", "list": [1, true], "nested": {"b": 1, "a": -9223372036854775808}})");
  io::write_state(folder / "s", state);
  const State read = io::read_state(folder / "s");
  REQUIRE(same(read.arrays, state.arrays));
  REQUIRE(read.values.dump() == state.values.dump());

  state.values["loss"] = NAN;
  REQUIRE_THROWS_WITH(io::write_state(folder / "s", state), Contains("not finite"));
  io::save_weights(folder / "w", {});
  REQUIRE_THROWS_WITH(io::read_state(folder / "w"), Contains("not one of saved state"));
}
