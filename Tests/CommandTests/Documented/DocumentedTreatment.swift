/// What is done with a documented command.
enum DocumentedTreatment {
  /// It is run to its end, and has one of these exit codes.
  case exits(Set<Int32>, after: [String] = [])
  /// It takes minutes: it is run until it has begun, then interrupted, and ends as interrupted or done, or with one more
  /// exit code that depends on the machine.
  case begins(or: Int32 = 2, after: [String] = [])
  /// It cannot be run here: its subcommand and options exist.
  case parses(because: String)

  static func exits(_ code: Int32, after: [String] = []) -> Self { .exits([code], after: after) }

  /// By the command's text. A command that is not here fails the test: add it, with the exit code that it must have.
  static let table: [String: DocumentedTreatment] = [
    "assay --help": .exits(0),
    "assay --generate-completion-script zsh": .exits(0),
    // Verification
    "assay verify --calibrate": .begins(),
    "assay verify --calibrate --dtype float16,bfloat16": .begins(),
    "assay verify --engine pytorch --dtype float16,bfloat16": .parses(because: "it takes `make peers`"),
    "assay verify --tag smoke": .exits(0),
    "assay verify --tag smoke --out Reports/today --junit results.xml": .exits(0),
    "assay verify --shard 2/4 --out shard-2 --resume": .begins(),
    "assay verify --tag smoke --list --json": .exits(0),
    "assay verify --filter '*resnet*' --tag slow": .begins(),
    "assay verify --filter 'conv2d/stride2/*' --dtype float32": .exits(0),
    "assay verify --golden mine.h5": .exits(0),
    "assay verify --golden Fixtures/scaled_add.h5": .exits(0),
    "assay verify --golden mine.h5 --engine reference --strict": .exits(0),
    "assay verify --engine mine='./my-engine --fast' --filter 'conv2d/*'": .begins(),
    "assay verify --engine mine='./my-engine --fast' --filter 'conv2d/*' --fresh 100 --seed random --threads 1,2,4":
      .begins(),
    "assay verify --engine mine='./my-engine' --filter 'relu/*'": .begins(),
    "assay verify --jobs 1 --filter 'relu/*' --engine mine='tee -a asked.log | ./my-engine | tee -a said.log'":
      .begins(),
    "assay verify --operation 'conv2d n8c64h56w56 k64r3s3 stride1 pad1' --engine mine=./my-engine": .begins(),
    "assay verify --engine mine='./my-engine --fast' --operation 'conv2d n8c64h56w56 k64r3s3 stride1 pad1'": .begins(),
    "assay verify --engine mine=./my-engine --exclude 'conv2d/adversarial/*' --pass forward --no-refusals": .begins(),
    "assay verify --engine mine='./my-engine --fast' --pass forward --no-refusals --exclude 'conv2d/adversarial/*'":
      .begins(),
    "assay verify --engine mine='python mine.py' --filter 'conv2d/*'": .parses(because: "it takes NumPy and h5py"),
    "assay verify --engine triton='python Benchmarks/engines/triton_engine.py' --filter 'conv2d/*'": .parses(
      because: "it takes Triton and a GPU"),
    "assay verify --engine numpy='python Benchmarks/engines/numpy_conv2d.py' --filter 'conv2d/*'": .parses(
      because: "it takes NumPy and h5py"),
    "assay bench --quick --filter '*h56w56 k64r3s3*' --engine numpy='python Benchmarks/engines/numpy_conv2d.py'":
      .parses(because: "it takes NumPy and h5py"),
    "assay verify --engine mine='./my-engine --fast' --dtype float16,bfloat16": .begins(),
    "assay verify --golden Fixtures/conv2d.h5 Fixtures/conv2d_resnet.h5 --engine direct": .begins(),
    "assay verify --engine relu-c=./relu-engine --filter 'relu*' --dtype float32": .exits(0),
    "assay verify --known-failures FILE": .begins(),
    "assay verify --engine cheat='python Benchmarks/engines/cheats/cheats.py --trick by_hash' --filter 'conv2d/*'":
      .parses(because: "it takes NumPy and h5py"),
    "assay verify --library libmine.so": .begins(),
    "assay verify --library libmine.so --filter 'conv2d/*'": .begins(),
    "assay verify --library conv2d-c.so": .begins(),
    // Random problems
    "assay fuzz --engine direct --operation conv2d --time 20s": .begins(),
    "assay fuzz --engine mine='./my-engine --fast' --time 10m --seed random --out Reports/fuzz": .begins(or: 1),
    "assay fuzz --library libmine.so --cases 1000": .begins(or: 1),
    "assay fuzz --engine mine=./my-engine --time 2m --pass forward --no-refusals": .begins(or: 1),
    "assay fuzz --engine reference --problem 'relu shape17' --data exact@1": .exits(0),
    "assay fuzz --operation scaled_add --time 20s": .begins(),
    // Bounds
    "assay bound 'conv2d n1c512h14w14 k512r3s3 stride1 pad1'": .exits(0),
    "assay bound 'conv2d n1c512h14w14 k512r3s3 stride1 pad1' --dtype float16": .exits(0),
    "assay bound 'conv2d n1c512h14w14 k512r3s3 stride1 pad1' --algorithm winograd4": .exits(0),
    "assay bound 'conv2d n1c512h14w14 k512r3s3 stride1 pad1' --algorithm winograd4:textbook": .exits(0),
    "assay bound 'conv2d n1c64h14w14 k64r3s3 stride1 pad1' --algorithm winograd4:textbook": .exits(0),
    "assay bound 'linear n256c512 k1000' --algorithm strassen1 --gradients": .exits(0),
    "assay bound 'conv2d n1c64h14w14 k64r3s3 stride1 pad1' --engine onnxruntime": .parses(
      because: "it takes `make peers`"),
    "assay bound 'softmax n8c1000' --json": .exits(0),
    "assay bound 'conv2d n2c3h9w8 k4r3s3 bias stride2x1 pad1'": .exits(0),
    // Gradients
    "assay gradcheck --seed 1": .begins(),
    "assay gradcheck --fuzz 20 --seed 7": .begins(),
    "assay gradcheck --operation 'conv2d n2c8h8w8 k8r3s3 stride1 pad1'": .exits(0),
    "assay gradcheck --operation 'scaled_add shape11'": .exits(0),
    "assay gradcheck --operation 'batch_norm2d n8c4h14w14 training'": .exits(0),
    "assay gradcheck --operation 'batch_norm2d n8c4h14w14 training' --engine reference --dtype float32": .exits(0),
    "assay gradcheck --operation 'conv2d n8c64h56w56 k64r3s3 stride1 pad1' --spoil 'weight[41,17,2,0]'": .exits(1),
    "assay gradcheck --golden Fixtures/conv2d.h5 --engine winograd4 --dtype float32": .exits(0),
    "assay gradcheck --golden Fixtures/batch_norm2d.h5 --filter '*training*'": .exits(0),
    "assay gradcheck --model resnet50": .begins(),
    "assay gradcheck --model resnet50 --size 32": .begins(),
    "assay gradcheck --model cifar_resnet8 --spoil layer2.0.conv2": .exits(1),
    "assay gradcheck --model cifar_resnet8 --engine execution --training --batch 4": .exits(0),
    "assay gradcheck --golden FILE --engine NAME='COMMAND …'": .parses(because: "a pattern, not a command"),
    "assay gradcheck --golden mine.h5 --engine mine='./engine --fast' --dtype float32": .exits(2),
    "assay gradcheck --json bad.jsonl --junit gradients.xml --out Reports/gradients": .begins(),
    "assay gradcheck --shard 1/3 --out shard-1 --resume": .begins(),
    "assay gradcheck --list --json": .exits(0),
    // The gate's own test
    "assay selftest --shard 1/4 --deadline 600 --out shard-1 --resume": .begins(),
    "assay selftest --smoke --verbose": .begins(),
    "assay selftest --filter 'cheats/*'": .begins(),
    "assay selftest --filter 'convolution/*' --explain": .begins(),
    "assay selftest --filter 'linear and loss/*' --filter 'convolution/*' --filter 'residual/*' --explain": .begins(),
    "assay selftest --filter 'size classes/*'": .begins(),
    // Golden files
    "assay golden list": .exits(0),
    "assay golden list --filter 'conv2d/*' mine.h5": .exits(0),
    "assay golden list --tag smoke --filter 'conv2d/*'": .exits(0),
    "assay golden list mine.h5 | grep adversarial": .exits(0),
    "assay golden show mine.h5 /conv2d/stride2": .exits(0),
    "assay golden show mine.h5 /relu/small --json case.json": .exits(0),
    "assay golden show mine.h5 /relu/small --values 20": .exits(0),
    "assay golden show Fixtures/conv2d.h5": .exits(0),
    "assay golden show Fixtures/conv2d.h5 /conv2d/stride2/odd_input/exact": .exits(0),
    "assay golden diff old.h5 new.h5": .exits(0),
    "assay golden diff old.h5 new.h5 --filter 'batch_norm2d/*'": .exits(0),
    "assay golden diff Fixtures/conv2d.h5 regenerated/conv2d.h5": .exits(0),
    "assay golden validate": .exits(0),
    "assay golden validate mine.h5 folder/": .exits(0),
    "assay golden validate mine.h5 --json": .exits(0),
    // Networks
    "assay model resnet50": .exits(0),
    "assay model resnet50 --json": .exits(0),
    "assay model simple_resnet --width 16 --batch 32": .exits(0),
    "assay model resnet50 --weights resnet50.h5": .parses(because: "weights of 100 MB"),
    "assay model simple_resnet --width 12 --weights digits.h5 --out digits.safetensors": .exits(
      0, after: ["assay train --data Fixtures/data/digits.h5 --width 12 --epochs 1 --batch 512 --out digits.h5"]),
    "assay train --data Fixtures/data/digits.h5 --width 12 --epochs 50 --warmup 2 --patience 5 --best best.safetensors":
      .begins(),
    "assay train --data Fixtures/data/digits.h5 --width 12 --epochs 8 --report Reports/digits": .begins(),
    "assay train --data cifar-10-batches-bin --model cifar_resnet20 --measure --epochs 30 --out cifar.h5": .begins(),
    "assay evaluate --data cifar-10-batches-bin/test_batch.bin --weights cifar.h5": .exits(
      0,
      after: [
        "assay train --data cifar-10-batches-bin --model cifar_resnet8 --width 2 --measure --epochs 1 --out cifar.h5"
      ]),
    "assay evaluate --data images.h5 --weights model.safetensors --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225":
      .parses(because: "weights of 100 MB"),
    "assay train --data pictures --model resnet18 --image-size 64 --measure --out pictures.h5": .begins(),
    "assay evaluate --data pictures --weights pictures.h5 --by-class": .exits(
      0,
      after: [
        "assay train --data pictures --model cifar_resnet8 --width 2 --image-size 16 --epochs 1 --out pictures.h5"
      ]),
    "assay train --data images.h5 --model resnet18 --init model.safetensors --out mine.safetensors": .begins(),
    "assay evaluate --data images.h5 --weights model.safetensors --model resnet50": .parses(
      because: "weights of 100 MB"),
    "assay train --data Fixtures/data/digits.h5 --width 12 --epochs 8 --out weights.h5": .begins(),
    "assay train --data Fixtures/data/digits.h5 --model simple_resnet --width 12 --epochs 8 --out digits.h5": .begins(),
    "assay train --data Fixtures/data/digits.h5 --width 12 --schedule cosine:10 --epochs 8 --out digits.h5": .begins(),
    "assay train --data Fixtures/data/digits.h5 --resume digits.h5 --epochs 10 --out digits.h5": .begins(
      after: [
        "assay train --data Fixtures/data/digits.h5 --width 1 --schedule cosine:10 --epochs 1 --out digits.h5"
      ]),
    "assay train --data images.h5 --model resnet18 --init resnet18.h5 --freeze 'layer1.*' --out mine-weights.h5":
      .begins(),
    "assay evaluate --logits": .parses(because: "a fragment"),
    "assay evaluate --data Fixtures/data/digits.h5 --weights weights.h5": .exits(
      0, after: ["assay train --data Fixtures/data/digits.h5 --width 1 --epochs 1 --out weights.h5"]),
    "assay evaluate --data Fixtures/data/digits.h5 --weights digits-weights.h5": .exits(
      0, after: ["assay train --data Fixtures/data/digits.h5 --width 1 --epochs 1 --out digits-weights.h5"]),
    "assay evaluate --data images.h5 --weights resnet50.h5 --top 5 --require-accuracy 0.75": .parses(
      because: "weights of 100 MB"),
    "assay evaluate --data images.h5 --weights resnet50.h5 --logits logits.h5": .parses(because: "weights of 100 MB"),
    // Benchmarks
    "assay bench --quick": .begins(),
    "assay bench --quick --layout nchw --library libmine.so --engine direct": .begins(),
    "assay bench --quick --layout nchw --library conv2d-c.so --engine direct": .begins(),
    "assay bench --quick --engine direct --engine mine=./my-engine --strict": .begins(),
    "assay bench --quick --engine direct --engine winograd4": .begins(),
    "assay bench --quick --engine pytorch --dtype bfloat16": .parses(because: "needs the peers"),
    "assay bench --suite Benchmarks/peers.toml": .parses(because: "needs the peers"),
    "assay bench --depth 18,50 --batch 1,8 --engine direct --engine winograd4 --engine pytorch": .parses(
      because: "needs the peers"),
    "assay bench --depth 18,50 --batch 1 --threads 1,2 --engine direct --engine winograd4 --engine onnxruntime":
      .parses(
        because: "needs the peers"),
    "assay bench --filter '*k64r3s3*' --layout native --out Reports/mine": .begins(),
    "assay bench --suite mine.toml": .begins(),
    "assay bench --operation 'batch_norm2d n8c64h56w56 training' --engine reference": .begins(),
    "assay bench --operation 'batch_norm2d n8c64h56w56 training' --engine reference --engine mine=./my-engine":
      .begins(),
    "assay bench --suite Benchmarks/operations.toml": .begins(),
    "assay bench --suite Benchmarks/operations.toml --engine reference --engine execution --engine pytorch": .parses(
      because: "needs the peers"),
    "assay bench --suite mine.toml --dry-run": .exits(0),
    "assay bench --resume --out Reports/mine": .begins(
      after: ["timeout -s INT 6 assay bench --out Reports/mine"]),
    "assay bench --shard 1/3 --deadline 3000 --out shard-1": .begins(),
    "assay duet --base direct --head winograd4": .begins(),
    "assay duet --base 'old/assay engine direct' --head 'new/assay engine direct'": .begins(),
    "assay duet --base 'old/assay engine auto' --head 'new/assay engine auto'": .begins(),
    "assay duet --base 'old/assay engine execution' --head 'new/assay engine execution' --suite Benchmarks/duet_networks.toml":
      .begins(),
    "assay duet --base './kernels-v1' --head './kernels-v2' --suite mine.toml --policy 3%": .begins(),
    "assay duet --base library:old/libmine.so --head library:new/libmine.so": .begins(),
    "assay engine winograd4": .begins(),
    "assay engine --inject-slowdown": .parses(because: "a fragment"),
    "assay machine --json machine.json": .begins(),
    "assay overhead --engine winograd4 --filter '*r3s3 stride1*'": .begins(or: 1),
    "assay simulate-gates Reports/aa-1 Reports/aa-2 --benchmarks 5": .parses(because: "needs two gates of minutes"),
    "assay tune --depth 18 --batch 1,8 --pass forward": .begins(),
    "assay tune --network resnet50 --batch 1 --threads 2": .begins(),
    "assay tune --network resnet50 --threads 1,2": .begins(),
    "assay tune --network resnet18 --trace trace.json": .begins(),
    "assay tune --network resnet18 --training --batch 8": .begins(),
    "assay tune --network NAME --training": .parses(because: "a pattern, not a command"),
    "assay model --out x.safetensors": .parses(because: "a fragment"),
    "assay tune --network": .parses(because: "a fragment"),
    "assay fuzz --engine mnn --problem 'gelu shape1' --data 'exact@1764310403,*=ones'": .parses(
      because: "needs the peers"),
    "assay bench --networks --depth 18,50": .begins(),
    "assay bench --suite Benchmarks/networks.toml": .parses(because: "needs the peers"),
    "assay bench --networks --pass training_step --depth 18": .begins(),
    "assay bench --suite Benchmarks/training.toml": .parses(because: "needs the peers"),
    "assay verify --filter '*resnet*' --tag slow --engine execution": .begins(),
    "assay verify --engine execution": .begins(),
    "ASSAY_ISA=avx2 assay tune --filter '*r3s3*'": .parses(because: "an instruction set that not every machine has"),
    // Reports. The example's page was measured in one go: held against itself nothing is slower.
    "assay compare OLD NEW": .exits(0),
    "assay compare Reports/monday Reports/friday": .exits(0),
    "assay compare old/run.json new/run.json --policy 3%": .exits(0),
    "assay compare old/run.json new/run.json --allow-missing": .exits(0),
    "assay compare monday.json friday.json": .exits(
      0, after: ["cp old/run.json monday.json && cp new/run.json friday.json"]),
    "assay history Reports": .exits(0),
    "assay history Reports --filter '*k64r3s3*' --out Reports/history": .exits(0),
    "assay report FOLDER": .exits(0),
    "assay report RUN": .exits(0),
    "assay report Reports/mine": .exits(0, after: ["cp -r RUN Reports/mine"]),
    "assay report Reports/mine --engine winograd4": .parses(because: "it takes a run of `make bench`"),
    "assay report Reports/friday --against Reports/monday": .exits(
      0, after: ["cp -r RUN Reports/friday", "cp -r RUN Reports/monday"]),
    "assay report Reports/mine/run.json --out /tmp/again --open": .parses(because: "opens a browser"),
    "assay merge shard-1 shard-2 shard-3 --out Reports/whole": .exits(
      0, after: (1...3).map { "assay verify --golden mine.h5 --shard \($0)/3 --out shard-\($0) || [ $? = 2 ]" }),
    // Parts that a shell's pattern finds, one of them missing.
    "assay merge parts/* --expect verification=$CODE --expect benchmark --out whole": .exits(
      2, after: ["assay verify --golden mine.h5 --out parts/verify"]),
    "assay merge Reports/x/verify Reports/x/bench --out Reports/x": .exits(
      [0, 2],
      after: [
        "assay verify --golden mine.h5 --out Reports/x/verify",
        "assay bench --suite mine.toml --engine direct --blocks 2 --out Reports/x/bench || [ $? = 2 ]",
      ]),
    "assay merge parts/* --out whole": .exits(0, after: ["assay verify --golden mine.h5 --out parts/verify"]),
    "assay verify --shard ${{ matrix.part }}/4 --out parts/${{ matrix.part }}": .parses(because: "a workflow's words"),
  ]

  /// Subcommands named alone that are lines to type as well.
  static let alone: [String: DocumentedTreatment] = [
    "assay verify": .begins(), "assay gradcheck": .begins(), "assay selftest": .begins(), "assay tune": .begins(),
    "assay machine": .begins(), "assay overhead": .begins(or: 1),
  ]
}
