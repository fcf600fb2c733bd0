using System.Globalization;
using System.Text.Json;
using Llava.ModelCore.Imaging;
using Llava.ModelCore.Prompts;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>What case G holds: preprocessing set-ups and training runs, with the command line each was computed with.</summary>
internal static class TrainingCase
{
    public static string Folder { get; } = FixtureFolder.Case("G");

    public static string ImageFolder => At("images");

    /// <summary>Every preprocessing set-up by its name.</summary>
    public static TheoryData<string> Setups() => [.. Preprocessing().Select(setup => setup.Text("name"))];

    /// <summary>Every training run, by the name in its file train_{name}.json.</summary>
    public static TheoryData<string> Runs() => [.. RunNames];

    /// <summary>Those without an adapter, whose first values no seed of ours draws.</summary>
    public static TheoryData<string> RunsFromSeeds() => [.. RunNames.Where(run => Recipe(run).Lora is null)];

    public static IEnumerable<string> RunNames => Directory.EnumerateFiles(Folder, "train_*.json").Order(StringComparer.Ordinal)
        .Select(file => Path.GetFileNameWithoutExtension(file)["train_".Length..]);

    public static JsonElement Setup(string name) => Preprocessing().Single(setup => setup.Text("name") == name);

    public static string At(string path) => Path.Combine(Folder, path);

    /// <summary>The run's command line by argument name, without the dashes.</summary>
    public static Dictionary<string, string> Arguments(string run) => FixtureFolder.Json(Folder, $"train_{run}.json").Text("args")
        .Split("--", StringSplitOptions.RemoveEmptyEntries)
        .Select(argument => argument.Trim().Split(' ', 2))
        .ToDictionary(argument => argument[0], argument => argument[1], StringComparer.Ordinal);

    /// <summary>The recipe that says what the run's command line says.</summary>
    public static TrainingRecipe Recipe(string run)
    {
        var arguments = Arguments(run);
        double Number(string name) => double.Parse(arguments[name], CultureInfo.InvariantCulture);
        int Whole(string name) => int.Parse(arguments[name], CultureInfo.InvariantCulture);
        bool Flag(string name) => bool.Parse(arguments[name]);
        return new TrainingRecipe
        {
            Stage = Flag("tune_mm_mlp_adapter") ? TrainingStage.Alignment : TrainingStage.InstructionTuning,
            Base = At(arguments["model_name_or_path"]),
            VisionTower = At(arguments["vision_tower"]),
            VisionSelectLayer = Whole("mm_vision_select_layer"),
            Projector = At(arguments["pretrain_mm_mlp_adapter"]),
            Data = At(arguments["data_path"]),
            ImageFolder = At(arguments["image_folder"]),
            DataOrder = At("data_order.json"),
            Template = arguments["version"],
            ImageAspectRatio = Aspect(arguments["image_aspect_ratio"]),
            MicroBatch = Whole("per_device_train_batch_size"),
            GradientAccumulation = Whole("gradient_accumulation_steps"),
            MaxSteps = Whole("max_steps"),
            LearningRate = Number("learning_rate"),
            WarmupRatio = Number("warmup_ratio"),
            Schedule = Enum.Parse<LearningRateShape>(arguments["lr_scheduler_type"], ignoreCase: true),
            WeightDecay = Number("weight_decay"),
            Clip = Number("max_grad_norm"),
            ModelMaxLength = Whole("model_max_length"),
            Lora = bool.Parse(arguments.GetValueOrDefault("lora_enable", "False"))
                ? new LoraRecipe { Rank = Whole("lora_r"), Alpha = Number("lora_alpha"), Dropout = Number("lora_dropout") }
                : null,
            Precision = Flag("bf16") ? TrainingPrecision.Bf16 : TrainingPrecision.Fp32,
        };
    }

    /// <summary>The processor of a preprocessing set-up; MPT's prompts are made with the only GPT-NeoX tokenizer of the case.</summary>
    public static SampleProcessor Processor(JsonElement setup)
    {
        var template = ConversationTemplates.Find(setup.Text("version"));
        var tokenizer = TokenizerFolder.Open(TokenizerFolderOf(template.Version == "mpt" ? "tokenizer.json" : "tokenizer.model"));
        return new SampleProcessor(template, tokenizer, setup.GetProperty("model_max_length").GetInt32(), setup.GetProperty("mm_use_im_start_end").GetBoolean());
    }

    /// <summary>The only folder with a tokenizer of that file.</summary>
    public static string TokenizerFolderOf(string file) => Directory.EnumerateDirectories(Folder).Single(folder => File.Exists(Path.Combine(folder, file)));

    /// <summary>The aspect of upstream's name.</summary>
    public static ImageAspect Aspect(string name) => Enum.Parse<ImageAspect>(name, ignoreCase: true);

    /// <summary>Images prepared for the case's vision tower.</summary>
    public static SampleImages Images(ImageAspect aspect)
    {
        var preprocessor = Directory.EnumerateFiles(Folder, "preprocessor_config.json", SearchOption.AllDirectories).Single();
        return new SampleImages(ImageFolder, new ClipPreprocessor(PreprocessorConfig.Load(preprocessor)), aspect);
    }

    private static List<JsonElement> Preprocessing() => [.. FixtureFolder.Json(Folder, "preprocess.json").GetProperty("cases").EnumerateArray()];
}
