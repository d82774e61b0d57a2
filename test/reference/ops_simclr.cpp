// Binds the reference cases simclr.* to the public API. One entry per op; no tolerance lives here.
#include "test/reference/case.h"

#include <libzoo/core/error.h>
#include <libzoo/core/json.h>
#include <libzoo/dist/dist.h>
#include <libzoo/eval/accuracy.h>
#include <libzoo/io/tf_checkpoint.h>
#include <libzoo/nn/nn.h>
#include <libzoo/optim/lars.h>
#include <libzoo/optim/schedules.h>
#include <libzoo/optim/sgd.h>
#include <libzoo/simclr/simclr.h>

#include <cmath>
#include <future>

namespace zoo::reference {
namespace {

at::Tensor leaf(const at::Tensor& input) { return input.clone().requires_grad_(); }

template <class E>
E choice(const std::string& text) {
  for (const auto& entry : enum_names(E{}).entries)
    if (text == entry.name) return entry.value;
  throw BindingError("unknown choice " + text);
}

void load(torch::nn::Module& module, const std::map<std::string, at::Tensor>& weights) {
  const at::NoGradGuard no_grad;
  for (auto& entry : module.named_parameters()) entry.value().copy_(weights.at(entry.key()));
  for (auto& entry : module.named_buffers()) entry.value().copy_(weights.at(entry.key()));
}

void expect_buffers(Case& c, const torch::nn::Module& module) {
  for (const auto& entry : module.named_buffers()) c.expect("buffers/" + entry.key(), entry.value());
}

simclr::NtXentOptions nt_xent_options(const Case& c) {
  return {.temperature = c.number("temperature"),
          .normalize = c.flag("normalize", true),
          .reduction = choice<simclr::Reduction>(c.text("reduction", "sum_of_views"))};
}

void nt_xent(Case& c) {
  const auto view1 = leaf(c.input("view1")), view2 = leaf(c.input("view2"));
  const auto options = nt_xent_options(c);
  const auto loss = simclr::nt_xent(view1, view2, options).value;
  loss.backward();
  c.expect("loss", loss.detach().view({1}));
  c.expect("grad_view1", view1.grad());
  c.expect("grad_view2", view2.grad());
  c.expect("logits_ab", simclr::cross_view_logits(view1, view2, options).detach());
}

void nt_xent_sharded(Case& c) {
  const auto view1 = leaf(c.input("view1")), view2 = leaf(c.input("view2"));
  const auto options = nt_xent_options(c);
  const int64_t ranks = c.integer("world_size"), n = view1.size(0) / ranks;
  const auto all1 = options.normalize ? simclr::normalize_rows(view1) : view1;
  const auto all2 = options.normalize ? simclr::normalize_rows(view2) : view2;
  std::vector<at::Tensor> losses;
  for (int64_t r = 0; r < ranks; ++r)
    losses.push_back(
        simclr::nt_xent_of_rows(all1.slice(0, r * n, (r + 1) * n), all2.slice(0, r * n, (r + 1) * n), all1, all2, r * n, options).value);
  const auto rank_loss = at::stack(losses), loss = rank_loss.mean();
  loss.backward();
  c.expect("rank_loss", rank_loss.detach());
  c.expect("loss", loss.detach().view({1}));
  c.expect("grad_view1", view1.grad());
  c.expect("grad_view2", view2.grad());
  c.expect("logits_ab", simclr::cross_view_logits(view1, view2, options).detach());
}

void contrastive_metrics(Case& c) {
  const auto metrics = simclr::contrastive_metrics(c.input("logits_ab"), c.input("labels"));
  c.expect("contrast_accuracy", metrics.accuracy.view({1}));
  c.expect("contrast_top5_accuracy", metrics.top5_accuracy.view({1}));
  c.expect("contrast_entropy", metrics.entropy.view({1}));
}

void lars_step(Case& c) {
  torch::OrderedDict<std::string, at::Tensor> parameters;
  for (const auto& name : c.input_names())
    if (name.starts_with("params/")) parameters.insert(name.substr(7), c.input(name).clone());
  const Json& roles = c.options().at("roles");
  const auto role = [&](const std::string& name) {
    const std::string text = roles.at(name);
    return text == "bn"                ? optim::Role::batch_norm
           : text == "bias"            ? optim::Role::bias
           : text == "supervised_head" ? optim::Role::supervised_head
                                       : optim::Role::weight;
  };
  optim::Lars lars(parameters, role,
                   {.momentum = c.number("momentum"),
                    .weight_decay = c.number("weight_decay"),
                    .trust = c.number("eeta"),
                    .nesterov = c.flag("nesterov", false),
                    .rate_in_velocity = c.flag("classic_momentum", true)});
  const auto rates = c.input("learning_rate");
  for (int64_t step = 0; step < rates.size(0); ++step) {
    const auto prefix = std::to_string(step) + "/";
    for (auto& entry : parameters) entry.value().mutable_grad() = c.input("grads/" + prefix + entry.key());
    lars.step(rates[step].item<double>());
    for (const auto& entry : parameters) c.expect("params/" + prefix + entry.key(), entry.value());
  }
  for (size_t i = 0; i < parameters.size(); ++i) c.expect("momentum/" + parameters[i].key(), lars.velocity(i));
}

void lr_schedule(Case& c) {
  const auto schedule = simclr::make_schedule({.num_examples = c.integer("num_examples"),
                                               .batch_size = c.integer("batch_size"),
                                               .epochs = c.number("epochs"),
                                               .warmup_epochs = c.number("warmup_epochs"),
                                               .base_rate = c.number("base_learning_rate"),
                                               .scaling = choice<simclr::Scaling>(c.text("scaling")),
                                               .train_steps = c.integer("train_steps", 0)});
  const auto steps = c.input("step");
  std::vector<double> rates;
  for (int64_t i = 0; i < steps.numel(); ++i) rates.push_back(schedule.rate(steps[i].item<int64_t>()));
  c.expect("learning_rate", rates);
  c.expect("total_steps", schedule.total_steps);
  c.expect("warmup_steps", schedule.warmup_steps);
}

void resnet_forward(Case& c) {
  const auto blocks = c.integers("blocks");
  nn::ResNet net(nn::ResNetOptions{.bottleneck = c.text("block") == "bottleneck",
                                   .blocks = {blocks.at(0), blocks.at(1), blocks.at(2), blocks.at(3)},
                                   .stem_channels = c.integer("stem_channels"),
                                   .sk_ratio = c.number("sk_ratio", 0),
                                   .se_ratio = c.number("se_ratio", 0),
                                   .small_stem = c.flag("cifar_stem", false),
                                   .bn_eps = c.number("bn_eps", 1e-5),
                                   .bn_momentum = 1 - c.number("bn_decay", 0.9)});
  load(*net, c.weights());
  net->train(c.flag("training", false));
  const auto image = leaf(c.input("image"));
  const auto outputs = net->outputs(image);
  c.expect("initial_conv", outputs.initial_conv.detach());
  c.expect("initial_max_pool", outputs.initial_max_pool.detach());
  for (size_t g = 0; g < outputs.block_groups.size(); ++g)
    c.expect("block_group" + std::to_string(g + 1), outputs.block_groups[g].detach());
  c.expect("final_avg_pool", outputs.final_avg_pool.detach());
  if (c.flag("training", false)) expect_buffers(c, *net);
  if (!c.has_input("cotangent")) return;
  (outputs.final_avg_pool * c.input("cotangent")).sum().backward();
  c.expect("grad_image", image.grad());
  for (const auto& entry : net->named_parameters()) c.expect("grad/" + entry.key(), entry.value().grad());
}

simclr::ProjectionHeadOptions head_options(const Case& c) {
  return {.mode = choice<simclr::HeadMode>(c.text("mode", "nonlinear")),
          .layers = c.integer("layers", 3),
          .input_dim = c.integer("input_dim"),
          .output_dim = c.integer("output_dim", 128),
          .bn_eps = c.number("bn_eps", 1e-5),
          .bn_momentum = 1 - c.number("bn_decay", 0.9)};
}

void projection_head(Case& c) {
  simclr::ProjectionHead head(head_options(c));
  load(*head, c.weights());
  head->train(c.flag("training", false));
  const auto h = leaf(c.input("h"));
  const auto states = head->states(h);
  for (size_t k = 1; k < states.size(); ++k) c.expect("hiddens/" + std::to_string(k), states[k].detach());
  c.expect("output", states.back().detach());
  (states.back() * c.input("cotangent")).sum().backward();
  c.expect("grad_h", h.grad());
  if (c.flag("training", false)) expect_buffers(c, *head);
}

void architecture(Case& c) {
  nn::ResNet net(nn::res_net_options(c.integer("depth"), {.width = c.integer("width"),
                                                          .sk_ratio = c.number("sk_ratio", 0),
                                                          .se_ratio = c.number("se_ratio", 0),
                                                          .small_stem = c.flag("cifar_stem", false),
                                                          .seed = {}}));
  int64_t parameters = 0, buffers = 0, convs = 0, norms = 0;
  for (const auto& entry : net->named_parameters()) {
    parameters += entry.value().numel();
    convs += entry.value().dim() == 4;
  }
  for (const auto& entry : net->named_buffers()) {
    buffers += entry.value().numel();
    norms += entry.key().ends_with("running_mean");
  }
  int64_t total = parameters;
  if (const int64_t layers = c.integer("projection_layers", 0); layers > 0) {
    simclr::ProjectionHead head(
        simclr::ProjectionHeadOptions{.layers = layers, .input_dim = net->num_features(), .output_dim = c.integer("projection_dim", 128)});
    for (const auto& parameter : head->parameters()) total += parameter.numel();
  }
  if (const int64_t classes = c.integer("num_classes", 0); classes > 0) total += classes * (net->num_features() + 1);
  c.expect("encoder_parameters", parameters);
  c.expect("encoder_buffers", buffers);
  c.expect("total_parameters", total);
  c.expect("num_convs", convs);
  c.expect("num_batch_norms", norms);
  c.expect("feature_dim", net->num_features());
}

// The shards on as many threads, which meet over Gloo as processes do.
void sync_bn_stats(Case& c) {
  const auto sizes = c.integers("shard_sizes");
  const auto groups = dist::groups_of_threads(int(sizes.size()));
  const auto x = c.input("x").split_with_sizes(sizes), cotangent = c.input("cotangent").split_with_sizes(sizes);
  struct Shard {
    nn::BatchNorm norm{nullptr};
    at::Tensor x, y, mean, variance;
  };
  std::vector<std::future<Shard>> shards;
  for (size_t rank = 0; rank < sizes.size(); ++rank) {
    shards.push_back(std::async(std::launch::async, [&, rank] {
      Shard shard{.norm = nn::BatchNorm(nn::BatchNormOptions{.channels = x[rank].size(1),
                                                             .eps = c.number("eps"),
                                                             .momentum = 1 - c.number("decay"),
                                                             .unbiased_running_var = c.flag("unbiased_running_var", false)}),
                  .x = leaf(x[rank])};
      load(*shard.norm, c.weights());
      const nn::SumOverRanks sum = [&](at::Tensor& values) { groups[rank]->sum(values); };
      const auto statistics = nn::sync_batch_norm(x[rank], shard.norm->weight, shard.norm->bias, c.number("eps"), sum);
      shard.mean = statistics.mean;
      shard.variance = statistics.variance;
      shard.norm->sum_over_ranks = sum;
      shard.y = shard.norm(shard.x);
      (shard.y * cotangent[rank]).sum().backward();
      shard.norm->sum_over_ranks = nullptr;
      return shard;
    }));
  }
  std::vector<at::Tensor> y, grad;
  std::optional<Shard> last;
  for (auto& future : shards) {
    last = future.get();
    y.push_back(last->y.detach());
    grad.push_back(last->x.grad());
  }
  c.expect("mean", last->mean.to(at::kFloat));
  c.expect("var", last->variance.to(at::kFloat));
  c.expect("y", at::cat(y));
  c.expect("running_mean", last->norm->running_mean);
  c.expect("running_var", last->norm->running_var);
  c.expect("grad_x", at::cat(grad));
}

void checkpoint_names(Case& c) {
  const int64_t layers = c.integer("projection_layers", 0);
  const simclr::Network network(simclr::NetworkOptions{.encoder = "r" + std::to_string(c.integer("depth")) + "_" +
                                                                  std::to_string(c.integer("width")) + "x_sk" +
                                                                  (c.number("sk_ratio", 0) > 0 ? "1" : "0"),
                                                       .se_ratio = c.number("se_ratio", 0),
                                                       .small_stem = c.flag("cifar_stem", false),
                                                       .head = layers > 0 ? simclr::HeadMode::nonlinear : simclr::HeadMode::none,
                                                       .head_layers = std::max<int64_t>(layers, 1),
                                                       .head_outputs = c.integer("projection_dim", 128),
                                                       .num_classes = c.integer("num_classes", 0),
                                                       .seed = {}});
  std::string lines;
  for (const auto& entry : simclr::official_entries(network)) {
    std::string shape;
    for (int64_t side : entry.shape) shape += (shape.empty() ? "" : ",") + std::to_string(side);
    lines += entry.official + ' ' + shape + ' ' + entry.ours + '\n';
  }
  c.expect("lines", lines);
}

void tf_checkpoint_read(Case& c) {
  const auto bytes = [&](const char* name) {
    const auto& array = c.array(name);
    return io::Bytes::borrow({reinterpret_cast<const uint8_t*>(array.data()), array.bytes()});
  };
  for (const auto& [name, array] : io::read_tf_checkpoint(bytes("index"), "index", bytes("data"), "data"))
    c.expect("tensors/" + name, array);
}

void linear_eval(Case& c) {
  const auto probe = simclr::fit_logistic_probe(
      c.input("train_features"), c.input("train_labels"),
      {.num_classes = c.integer("num_classes"), .l2 = c.number("l2"), .standardize = c.flag("standardize", true)});
  const auto probabilities = probe.probabilities(c.input("test_features"));
  const auto metrics = eval::classification_metrics(probabilities.log(), c.input("test_labels"), {1, 5});
  c.expect("train_objective", probe.objective);
  c.expect("weight", probe.weight);
  c.expect("test_probabilities", probabilities.to(at::kFloat));
  c.expect("top1", metrics.top(1));
  c.expect("top5", metrics.top(5));
}

void linear_probe_sgd(Case& c) {
  const auto features = c.input("features"), labels = c.input("labels"), batches = c.input("batch_indices");
  auto weight = at::zeros({c.integer("num_classes"), features.size(1)}).requires_grad_();
  auto bias = at::zeros({c.integer("num_classes")}).requires_grad_();
  optim::Sgd sgd({weight, bias}, {.momentum = c.number("momentum"), .weight_decay = c.number("weight_decay"), .nesterov = true});
  std::vector<at::Tensor> losses;
  for (int64_t step = 0; step < batches.size(0); ++step) {
    sgd.zero_grad();
    const auto loss =
        at::cross_entropy_loss(at::linear(features.index_select(0, batches[step]), weight, bias), labels.index_select(0, batches[step]));
    loss.backward();
    losses.push_back(loss.detach());
    sgd.step(optim::cosine_rate(c.number("learning_rate"), step, {.total_steps = c.integer("total_steps")}));
  }
  c.expect("weight", weight.detach());
  c.expect("bias", bias.detach());
  c.expect("loss", at::stack(losses));
}

void knn_probe(Case& c) {
  const auto result =
      simclr::knn_probe(c.input("train_features"), c.input("train_labels"), c.input("test_features"),
                        {.num_classes = c.integer("num_classes"), .k = c.integer("k"), .temperature = c.number("temperature")});
  c.expect("scores", result.scores);
  c.expect("prediction", result.prediction);
}

void distillation_loss(Case& c) {
  const auto student = leaf(c.input("student_logits"));
  const auto loss = simclr::distillation_loss(student, c.input("teacher_logits"), c.number("temperature"));
  loss.backward();
  c.expect("loss", loss.detach().view({1}));
  c.expect("grad_student", student.grad());
}

void conv_init_stats(Case& c) {
  const int64_t kernel = c.integer("kernel");
  auto weight = at::empty({c.integer("out_channels"), c.integer("in_channels"), kernel, kernel});
  nn::truncated_normal_fan_in(weight, 1, 0);
  c.expect("std", weight.to(at::kDouble).std(/*unbiased=*/false).item<double>());
  c.expect("max_abs", weight.abs().max().item<double>());
}

at::Tensor channels_first(const data::FloatImage& image) {
  return at::tensor(image.pixels).view({image.height, image.width, image.channels}).permute({2, 0, 1}).contiguous();
}

data::View<uint8_t> picture(const at::Tensor& image) {
  return {image.const_data_ptr<uint8_t>(), image.size(0), image.size(1), image.size(2), image.size(1) * image.size(2)};
}

data::PixelBox pixel_box(const std::vector<int64_t>& box) { return {box.at(0), box.at(1), box.at(2), box.at(3)}; }

void view(Case& c) {
  const simclr::ViewOptions options{.size = c.integer("size"),
                                    .version = choice<simclr::ViewVersion>(c.text("impl")),
                                    .resize = choice<simclr::ViewResize>(c.text("resize"))};
  simclr::ViewDraw draw{
      .box = pixel_box(c.integers("box")), .flip = c.flag("flip"), .grayscale = c.flag("grayscale"), .blur_sigma = c.number("blur_sigma")};
  if (c.flag("jitter")) {
    draw.jitter = data::ColorJitter{.convention = data::parse_jitter_convention(c.text("impl")),
                                    .brightness = float(c.number("brightness")),
                                    .contrast = float(c.number("contrast")),
                                    .saturation = float(c.number("saturation")),
                                    .hue = float(c.number("hue"))};
    for (const auto& name : c.texts("order")) draw.jitter->order.push_back(data::parse_color_operation(name));
  }
  const auto image = c.input("image");
  c.expect("view", channels_first(simclr::make_view(picture(image), draw, options)));
}

void eval_preprocess(Case& c) {
  const auto image = c.input("image");
  const auto box = simclr::evaluation_box(image.size(0), image.size(1), c.integer("size"));
  c.expect("box", std::vector<int64_t>{box.top, box.left, box.height, box.width});
  c.expect("image",
           channels_first(simclr::evaluation_view(picture(image), c.integer("size"), choice<simclr::ViewResize>(c.text("resize")))));
}

}  // namespace

OpTable simclr_ops() {
  return {
      {"simclr.nt_xent", nt_xent},
      {"simclr.nt_xent_sharded", nt_xent_sharded},
      {"simclr.contrastive_metrics", contrastive_metrics},
      {"simclr.lars_step", lars_step},
      {"simclr.lr_schedule", lr_schedule},
      {"simclr.resnet_forward", resnet_forward},
      {"simclr.projection_head", projection_head},
      {"simclr.architecture", architecture},
      {"simclr.sync_bn_stats", sync_bn_stats},
      {"simclr.checkpoint_names", checkpoint_names},
      {"simclr.tf_checkpoint_read", tf_checkpoint_read},
      {"simclr.linear_eval", linear_eval},
      {"simclr.linear_probe_sgd", linear_probe_sgd},
      {"simclr.knn_probe", knn_probe},
      {"simclr.distillation_loss", distillation_loss},
      {"simclr.conv_init_stats", conv_init_stats},
      {"simclr.view", view},
      {"simclr.eval_preprocess", eval_preprocess},
  };
}

}  // namespace zoo::reference
