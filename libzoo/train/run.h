// A run: its directory, checkpoints, resume, signals, metrics, progress and result. The training loop stays plain code:
//
//   train::Run run(options_json, {.directory = "runs/demo", .seed = 1});
//   run.track("model", *model);  run.track("optimizer", sgd);  run.track("data", batches);
//   for (int64_t step : run.steps(total)) {       // continues where the last run stopped; ends early, saved, on SIGTERM
//     …
//     run.log(step, {{"loss", loss}, {"learning_rate", rate}});   // tensors are read back only when a line is written
//   }
//   run.finish({{"top1", accuracy}});
//
// Directory: config.yaml manifest.json log.txt metrics.jsonl result.json model.safetensors tensorboard/ checkpoints/
// samples/. docs/checkpoints.md says what each holds and what survives a crash.
#pragma once
