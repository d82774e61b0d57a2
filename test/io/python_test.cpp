// Python reads what is written here and writes what is read here: arrays and events.
#include "test/io/arrays.h"
#include "test/io/python.h"

#include <libzoo/io/npy.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/safetensors.h>
#include <libzoo/io/tfevents.h>

using namespace zoo;
using namespace zoo::test;

namespace {

const Arrays kArrays{{"w", Array::of<float>({2, 3}, std::vector<float>{0, 1, 2, 3, 4, 5})}, {"n", Array::scalar<int64_t>(-7)}};

}  // namespace

TEST_CASE("Python's safetensors opens our files and we open its", "[io][python]") {
  const auto python = python_with("safetensors.numpy, numpy");
  if (!python) return;
  TemporaryFolder folder;
  io::write_safetensors(folder / "ours", kArrays, {{"format", "np"}});
  REQUIRE(runs(*python, folder, R"(
import numpy as np
from safetensors.numpy import load_file, save_file
a = load_file(folder + "/ours")
assert a["w"].tolist() == [[0, 1, 2], [3, 4, 5]] and a["n"] == -7, a
save_file(a, folder + "/theirs", {"k": "v"})
)"));
  const auto file = io::read_safetensors(io::map_file(folder / "theirs"), "theirs");
  REQUIRE(same(file.tensors, kArrays));
  REQUIRE(file.metadata.at("k") == "v");
}

TEST_CASE("numpy opens our files and we open its", "[io][python]") {
  const auto python = python_with("numpy");
  if (!python) return;
  TemporaryFolder folder;
  io::write_npz(folder / "ours.npz", kArrays);
  REQUIRE(runs(*python, folder, R"(
import numpy as np
a = np.load(folder + "/ours.npz")
assert a["w"].tolist() == [[0, 1, 2], [3, 4, 5]] and a["n"] == -7
np.savez(folder + "/stored.npz", **a)
np.savez_compressed(folder + "/deflated.npz", w=np.asfortranarray(a["w"]), n=a["n"])
)"));
  for (const char* name : {"stored.npz", "deflated.npz"}) REQUIRE(same(io::read_npz(io::map_file(folder / name), name), kArrays));
}

TEST_CASE("torch.load(weights_only=True) opens our .pth of every type and we open torch.save's", "[io][python]") {
  const auto python = python_with("torch");
  if (!python) return;
  TemporaryFolder folder;
  io::write_pth(folder / "ours.pth", arrays_of_every_type());
  REQUIRE(runs(*python, folder, R"(
import torch
a = torch.load(folder + "/ours.pth", weights_only=True)
assert len(a) == 17 and a["block.BF16"].dtype == torch.bfloat16 and a["block.F8_E4M3"].dtype == torch.float8_e4m3fn
assert a["block.U64"].dtype == torch.uint64 and a["empty"].shape == (4, 0, 2) and a["scalar"].shape == ()
torch.save({"state_dict": a, "epoch": 3, "t": torch.arange(6.).view(2, 3).t()}, folder + "/theirs.pth")
torch.serialization.set_crc32_options(False)
torch.save(a, folder + "/no_checksums.pth")
)"));
  const auto theirs = io::read_pth(io::map_file(folder / "theirs.pth"), "theirs");
  REQUIRE(theirs.values == Json{{"epoch", 3}});
  REQUIRE(theirs.tensors.at("t").span<float>()[1] == 3.0f);
  for (const auto& [name, array] : arrays_of_every_type()) REQUIRE(same(theirs.tensors.at("state_dict." + name), array));
  REQUIRE(same(io::read_pth(io::map_file(folder / "no_checksums.pth"), "n").tensors, arrays_of_every_type()));
}

TEST_CASE("TensorBoard lists our scalars, images, histograms and texts", "[io][python]") {
  const auto python = python_with("tensorboard");
  if (!python) return;
  TemporaryFolder folder;
  {
    io::EventWriter events(folder / "tensorboard");
    for (int step = 0; step < 3; ++step) events.scalar("loss", step, 1.0 / (step + 1));
    events.image("picture", 5, 1, 1, 1, std::vector<uint8_t>{0x89, 'P', 'N', 'G'});  // not decoded by the accumulator
    events.histogram("weights", 6, std::vector<double>{-1, 0, 2, 2});
    events.text("note", 7, "hello");
  }
  REQUIRE(runs(*python, folder, R"(
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(folder + "/tensorboard")
a.Reload()
tags = a.Tags()
assert tags["scalars"] == ["loss"] and tags["images"] == ["picture"], tags
assert tags["histograms"] == ["weights"] and tags["tensors"] == ["note"], tags
assert [(s.step, round(s.value, 4)) for s in a.Scalars("loss")] == [(0, 1.0), (1, 0.5), (2, 0.3333)]
assert a.Images("picture")[0].step == 5 and a.Images("picture")[0].width == 1
h = a.Histograms("weights")[0].histogram_value
assert h.num == 4 and h.min == -1 and h.max == 2 and sum(h.bucket) == 4, h
assert a.Tensors("note")[0].tensor_proto.string_val[0] == b"hello"
)"));
}
