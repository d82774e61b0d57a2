// Networks by name, what freezing freezes, and files: our own, the official TensorFlow ones, torchvision's names.
#include "test/catch.h"
#include "test/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/weights.h>
#include <libzoo/simclr/checkpoint.h>
#include <libzoo/simclr/optimizer.h>

#include <ATen/ATen.h>

using namespace zoo;
using namespace zoo::simclr;
using zoo::test::TemporaryFolder;

namespace {

// Values that no two tensors share.
Network filled(const NetworkOptions& options) {
  Network network(options);
  const at::NoGradGuard no_grad;
  at::manual_seed(6);
  for (auto [name, tensor] : named_tensors(network)) tensor.copy_(at::rand_like(tensor) + 0.1);
  return network;
}

NamedTensors copies(const Network& network) {
  NamedTensors tensors;
  for (const auto& [name, tensor] : named_tensors(network)) tensors.emplace(name, tensor.clone());
  return tensors;
}

void require_equal(const NamedTensors& a, const NamedTensors& b) {
  REQUIRE(a.size() == b.size());
  for (const auto& [name, tensor] : a) {
    INFO(name);
    REQUIRE(at::equal(tensor, b.at(name)));
  }
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const UserError& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace

TEST_CASE("Names of encoders say depth, width and kernels", "[simclr]") {
  REQUIRE(encoder_options({.encoder = "r50_2x_sk1"})->sk_ratio == 0.0625);
  REQUIRE(encoder_options({.encoder = "r50_2x"})->stem_channels == 128);
  REQUIRE(!encoder_options({.encoder = "small"}));
  for (const char* name : {"r50", "resnet50", "r51_1x", "r50_0x", "r50_1x_sk2", ""}) {
    INFO(name);
    REQUIRE_THROWS_AS(encoder_options({.encoder = name}), UserError);
  }
  REQUIRE_THAT(refusal([] { Network(NetworkOptions{.encoder = "r18_1x_sk1"}); }), Contains("selective kernels need bottleneck blocks"));
}

TEST_CASE("Parts that are frozen stay bit for bit as they are, statistics included, through 20 steps", "[simclr]") {
  const int64_t group = GENERATE(-1, 0, 2, 4);
  Network network(NetworkOptions{.encoder = "r18_1x_sk0", .small_stem = true, .head = HeadMode::none, .num_classes = 3, .seed = 1});
  network->freeze_after(group);
  Optimizer sgd(*network, {.kind = OptimizerKind::sgd, .weight_decay = 1e-3});
  const auto before = copies(network);
  network->train();
  at::manual_seed(1);
  for (int step = 0; step < (group == 4 ? 20 : 2); ++step) {
    sgd.zero_grad();
    at::cross_entropy_loss(network->logits(at::rand({4, 3, 8, 8})), at::tensor({0, 1, 2, 0}, at::kLong)).backward();
    sgd.step(0.1);
  }
  for (const auto& [name, tensor] : copies(network)) {
    INFO(name << " after group " << group);
    const bool frozen = (name.starts_with("stem") && group >= 0) || (name.starts_with("layer") && name[5] - '0' <= group);
    // Statistics always move; weights within a block only after the last gamma of the block, which starts at 0, has.
    const bool moves = name.ends_with("running_mean") || name.ends_with("bn2.weight");
    if (frozen || moves) REQUIRE(at::equal(tensor, before.at(name)) == frozen);
  }
}

TEST_CASE("A new network starts with classes equally likely and blocks that pass on what they get", "[simclr]") {
  Network network(NetworkOptions{.encoder = "r50_1x_sk1", .small_stem = true, .head = HeadMode::none, .num_classes = 7, .seed = 1});
  network->eval();
  REQUIRE(network->logits(at::rand({2, 3, 8, 8})).eq(0).all().item<bool>());
  for (const auto& [name, tensor] : named_tensors(network))
    if (name.ends_with("bn3.weight")) REQUIRE(tensor.eq(0).all().item<bool>());
  REQUIRE(network->role("classifier.head.weight") == optim::Role::supervised_head);
  REQUIRE(network->role("encoder.layer1.0.sk.reduce_bn.weight") == optim::Role::batch_norm);
  REQUIRE(network->role("encoder.layer1.0.conv1.weight") == optim::Role::weight);
}

TEST_CASE("Checkpoints come back as they were, by our names and by the official ones", "[simclr]") {
  TemporaryFolder folder;
  const NetworkOptions options =
      GENERATE(NetworkOptions{.encoder = "r18_1x_sk0", .small_stem = true, .head_layers = 2, .head_outputs = 8, .num_classes = 5},
               NetworkOptions{.encoder = "r50_1x_sk1", .se_ratio = 0.25, .head_layers = 3},
               NetworkOptions{.encoder = "r50_1x_sk0", .head = HeadMode::linear, .head_outputs = 16},
               NetworkOptions{.encoder = "small", .head_outputs = 4, .num_classes = 2});
  const auto network = filled(options);
  save_checkpoint(folder / "ours.safetensors", network, {.size = 48, .resize = ViewResize::tf2_bicubic, .classes = {}});
  const auto loaded = load_checkpoint(folder / "ours.safetensors");
  require_equal(copies(loaded.network), copies(network));
  REQUIRE(loaded.info.size == 48);
  REQUIRE(loaded.info.resize == ViewResize::tf2_bicubic);
  if (options.encoder == "small") return;
  convert(folder / "ours.safetensors", folder / "official.npz", {.names = Naming::official});
  const auto back = load_checkpoint(folder / "official.npz");  // no metadata: all is read off the tensors
  REQUIRE(back.naming == Naming::official);
  REQUIRE(back.network->options.encoder == options.encoder);
  REQUIRE(back.network->options.small_stem == options.small_stem);
  require_equal(copies(back.network), copies(network));
}

TEST_CASE("A classifier stands on the chosen layer of the projection, and what lies above is dropped", "[simclr]") {
  TemporaryFolder folder;
  auto network = filled({.encoder = "small", .head_layers = 3, .head_outputs = 6});
  save_checkpoint(folder / "model.safetensors", network, {});
  const auto x = at::rand({4, 3, 16, 16});
  for (const int64_t selector : {0, 1, 3}) {
    auto tuned = load_checkpoint(folder / "model.safetensors", {.selector = selector, .num_classes = 3, .new_classifier = true});
    REQUIRE(tuned.network->projection->parameters().size() == size_t(selector == 3 ? 8 : 3 * selector));
    network->eval();
    tuned.network->eval();  // in training, logits would move the running statistics
    REQUIRE(tuned.network->logits(x).eq(0).all().item<bool>());
    const auto h = network->features(x);
    REQUIRE(at::allclose(tuned.network->project(tuned.network->features(x)), network->projection->states(h)[size_t(selector)], 1e-5, 1e-5));
    save_checkpoint(folder / "tuned.safetensors", tuned.network, {});
    require_equal(copies(load_checkpoint(folder / "tuned.safetensors").network), copies(tuned.network));
  }
  REQUIRE_THROWS_WITH(load_checkpoint(folder / "model.safetensors", {.selector = 4, .num_classes = 3}), Contains("has no first 4"));
}

TEST_CASE("torchvision's names are understood", "[simclr]") {
  TemporaryFolder folder;
  const auto network = filled({.encoder = "r50_1x_sk0", .head = HeadMode::none, .num_classes = 4});
  NamedTensors theirs;
  for (const auto& [ours, tensor] : named_tensors(network)) {
    std::string name = ours;
    if (name.starts_with("stem.")) name = name.substr(5);
    if (name.starts_with("head.")) name = "fc." + name.substr(5);
    if (const auto at = name.find("downsample.conv"); at != name.npos) name.replace(at, 15, "downsample.0");
    if (const auto at = name.find("downsample.bn"); at != name.npos) name.replace(at, 13, "downsample.1");
    theirs.emplace(name, tensor.contiguous());
  }
  theirs.emplace("bn1.num_batches_tracked", at::tensor({int64_t(3)}));
  io::save_weights_by_ending(folder / "theirs.pth", theirs);
  const auto loaded = load_checkpoint(folder / "theirs.pth");
  REQUIRE(loaded.naming == Naming::torchvision);
  require_equal(copies(loaded.network), copies(network));
}

TEST_CASE("Files that hold no whole network are refused with what is wrong", "[simclr]") {
  TemporaryFolder folder;
  const auto network = filled({.encoder = "r18_1x_sk0", .head = HeadMode::none});
  auto tensors = copies(network);
  const auto said = [&](const NamedTensors& changed) {
    io::save_weights(folder / "x.safetensors", changed);
    return refusal([&] { load_checkpoint(folder / "x.safetensors"); });
  };
  auto missing = tensors;
  missing.erase("layer2.0.bn1.bias");
  REQUIRE_THAT(said(missing), Contains("x.safetensors: missing layer2.0.bn1.bias"));
  auto more = tensors;
  more.emplace("odd", at::ones({1}));
  REQUIRE_THAT(said(more), Contains("unexpected odd"));
  auto broken = tensors;
  broken.at("layer2.0.bn1.bias")[0] = NAN;
  REQUIRE_THAT(said(broken), Contains("layer2.0.bn1.bias holds NaN"));
  auto shaped = tensors;
  shaped.at("layer2.0.bn1.bias") = at::ones({3});
  REQUIRE_THAT(said(shaped), Contains("layer2.0.bn1.bias has shape [3], not [128]"));
  REQUIRE_THAT(said({{"other", at::ones({1})}}), Contains("no SimCLR network"));
  auto short_one = tensors;
  std::erase_if(short_one, [](const auto& entry) { return entry.first.starts_with("layer4.1."); });
  REQUIRE_THAT(said(short_one), Contains("groups of 2, 2, 2 and 1 blocks"));
}
