using System.CommandLine;
using Llava.Cli.Jobs;
using Llava.Contracts.Requests;

namespace Llava.Cli.Training;

/// <summary>What a training run is told about how it learns, at once or again and again.</summary>
internal sealed class TrainingArguments
{
    private readonly Option<string?> _after = new("--after") { Description = "A run whose model this one starts from, once that has succeeded; instead of --model." };

    private readonly Option<string?> _suffix = new("--suffix") { Description = "Part of the new model's name." };

    private readonly Option<TrainingMode> _mode = new("--mode") { Description = "What is trained; alignment starts from a base of the consumers, which --model names.", DefaultValueFactory = _ => TrainingMode.Full };

    private readonly Option<int?> _rank = new("--lora-rank") { Description = "Rank of the adapter, with --mode lora or qlora. Default: 64." };

    private readonly Option<TrainingOptimizer> _optimizer = new("--optimizer") { Description = "How weights follow their gradients." };

    private readonly Option<int?> _epochs = new("--epochs") { Description = "Passes over the rows. Default: chosen." };

    private readonly Option<int?> _batch = new("--batch-size") { Description = "Rows of a step. Default: chosen." };

    private readonly Option<double?> _rate = new("--learning-rate") { Description = "Highest learning rate. Default: by the mode." };

    private readonly Option<int?> _steps = new("--max-steps") { Description = "Steps, instead of passes over the rows." };

    private readonly Option<int> _seed = new("--seed") { Description = "Seed of the order of the rows.", DefaultValueFactory = _ => 42 };

    private readonly PromotionArguments _promotion = new();

    /// <summary>The model to start from.</summary>
    public Option<string> Model { get; } = new("--model") { Description = "The model to start from.", DefaultValueFactory = _ => JobOptions.DefaultModel };

    /// <summary>Rows to measure with.</summary>
    public Option<FileInfo?> Validation { get; } = new("--validation") { Description = "Rows to measure with." };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[Model, _after, Validation, _suffix, _mode, _rank, _optimizer, _epochs, _batch, _rate, _steps, _seed])
        {
            command.Options.Add(option);
        }

        _promotion.AddTo(command);
    }

    /// <summary>Whether the model is a base, which no folder is looked for.</summary>
    public bool IsBase(ParseResult typed) => typed.GetValue(_mode) == TrainingMode.Alignment;

    /// <summary>Whether another run makes the model.</summary>
    public bool IsLeftToAnother(ParseResult typed) => typed.GetValue(_after) is not null && typed.GetResult(Model) is null or { Implicit: true };

    /// <summary>The run as typed.</summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="model">The model by the name under which it is served.</param>
    /// <param name="file">Id of the file with the rows.</param>
    /// <param name="validation">Id of the file to measure with.</param>
    public TrainingRequest Request(ParseResult typed, string model, string file, string? validation) => new()
    {
        Model = model,
        After = typed.GetValue(_after),
        TrainingFile = file,
        ValidationFile = validation,
        Suffix = typed.GetValue(_suffix),
        Seed = typed.GetValue(_seed),
        Promotion = _promotion.Request(typed, model),
        Settings = new()
        {
            Mode = typed.GetValue(_mode),
            Lora = typed.GetValue(_rank) is { } width ? new AdapterSettings { Rank = width } : null,
            Optimizer = typed.GetValue(_optimizer),
            Epochs = typed.GetValue(_epochs),
            BatchSize = typed.GetValue(_batch),
            LearningRate = typed.GetValue(_rate),
            MaxSteps = typed.GetValue(_steps),
        },
    };
}
