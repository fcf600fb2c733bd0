using System.CommandLine;
using System.Globalization;
using Llava.Hosting.Processes;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Checkpoints.HuggingFace;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Quantization;
using static TorchSharp.torch;

namespace Llava.Cli.Commands;

/// <summary><c>llava models</c>: looks into checkpoints and makes others of them.</summary>
internal static class ModelsCommand
{
    private static readonly Dictionary<string, ScalarType> Types = new() { ["float16"] = ScalarType.Float16, ["bfloat16"] = ScalarType.BFloat16, ["float32"] = ScalarType.Float32 };

    public static Command Create() => new("models", "Look into checkpoints, merge adapters, apply deltas, take projectors out, convert, quantize.")
    {
        Inspect(),
        Copy("merge", "Write a LoRA adapter and its base, or a projector and its base, as one whole model.", needsBase: false),
        Copy("apply-delta", "Write the model that a delta and its base make, such as LLaVA's first releases.", needsBase: true),
        Copy("consolidate", "Write any checkpoint that can be read, sharded or in another layout, as one in the original LLaVA layout.", needsBase: false),
        Convert(),
        MakeDelta(),
        ExtractProjector(),
        QuantizeCommand.Create(),
    };

    private static Argument<string> Model() => new("model") { Description = "A checkpoint's folder, or the name of a model in the models folder." };

    private static Option<DirectoryInfo?> Base() => new("--base") { Description = "Folder of the base model. Default: where the adapter or projector says." };

    private static Option<DirectoryInfo> Output() => new("--out", "-o") { Description = "Folder of the new checkpoint; must hold no weights.", Required = true };

    private static Option<string?> WeightType()
    {
        var type = new Option<string?>("--type") { Description = "Type of the weights: float16, bfloat16 or float32. Default: the checkpoint's." };
        type.AcceptOnlyFromAmong([.. Types.Keys]);
        return type;
    }

    private static Command Inspect()
    {
        var (model, start) = (Model(), Base());
        var command = new Command("inspect", "Say what a checkpoint is and what memory it takes, from its files alone.") { model, start };
        command.SetAction(typed => Failures.ReportAsync(async () =>
        {
            using var checkpoint = Open(typed.GetValue(model)!, typed.GetValue(start));
            foreach (var (name, value) in Facts(checkpoint).Concat(Memory(checkpoint, AvailableMemory.Read())))
            {
                await Console.Out.WriteLineAsync($"{name,-16} {value}");
            }

            return ExitCodes.Ok;
        }));
        return command;
    }

    private static Command Copy(string name, string description, bool needsBase)
    {
        var (model, start, output, type) = (Model(), Base(), Output(), WeightType());
        start.Required = needsBase;
        var command = new Command(name, description) { model, start, output, type };
        command.SetAction(typed => Failures.ReportAsync(() =>
        {
            using var checkpoint = Open(typed.GetValue(model)!, typed.GetValue(start));
            CheckpointCopy.Write(checkpoint, typed.GetValue(output)!.FullName, typed.GetValue(type) is { } named ? Types[named] : null);
            return DoneAsync(typed.GetValue(output)!.FullName);
        }));
        return command;
    }

    private static Command Convert()
    {
        var (model, start, output, type) = (Model(), Base(), Output(), WeightType());
        var to = new Option<string>("--to") { Description = "Layout of the new checkpoint: original (LLaVA's own) or hf (llava-hf's, which transformers opens).", Required = true };
        to.AcceptOnlyFromAmong("original", "hf");
        var command = new Command("convert", "Write a model in the other of the two layouts that LLaVA is published in; every weight keeps its bits.") { model, to, start, output, type };
        command.SetAction(typed => Failures.ReportAsync(() =>
        {
            using var checkpoint = Open(typed.GetValue(model)!, typed.GetValue(start));
            Action<CheckpointFolder, string, ScalarType?> write = typed.GetValue(to) == "hf" ? CheckpointConversion.ToHuggingFace : CheckpointConversion.ToOriginal;
            write(checkpoint, typed.GetValue(output)!.FullName, typed.GetValue(type) is { } named ? Types[named] : null);
            return DoneAsync(typed.GetValue(output)!.FullName);
        }));
        return command;
    }

    private static Command MakeDelta()
    {
        var (model, start, output) = (Model(), Base(), Output());
        start.Required = true;
        start.Description = "Folder of the language model that the model was trained from.";
        var command = new Command("make-delta", "Write a model as its difference to a base, for weights that may not be passed on whole.") { model, start, output };
        command.SetAction(typed => Failures.ReportAsync(() =>
        {
            using var target = Open(typed.GetValue(model)!, null);
            using var below = CheckpointFolder.Open(typed.GetValue(start)!.FullName);
            CheckpointCopy.WriteDelta(target, below, typed.GetValue(output)!.FullName);
            return DoneAsync(typed.GetValue(output)!.FullName);
        }));
        return command;
    }

    private static Command ExtractProjector()
    {
        var (model, start) = (Model(), Base());
        var output = new Option<FileInfo>("--out", "-o") { Description = "The file, for example mm_projector.bin.", Required = true };
        var command = new Command("extract-projector", "Write a model's projector alone.") { model, start, output };
        command.SetAction(typed => Failures.ReportAsync(() =>
        {
            using var checkpoint = Open(typed.GetValue(model)!, typed.GetValue(start));
            CheckpointCopy.WriteProjector(checkpoint, typed.GetValue(output)!.FullName);
            return DoneAsync(typed.GetValue(output)!.FullName);
        }));
        return command;
    }

    private static CheckpointFolder Open(string model, DirectoryInfo? start) =>
        CheckpointFolder.Open(ModelFolders.Resolve(model), new CheckpointOptions { Base = start?.FullName });

    private static async Task<int> DoneAsync(string path)
    {
        await Console.Error.WriteLineAsync($"Written: {path}");
        return ExitCodes.Ok;
    }

    private static IEnumerable<(string Name, string Value)> Facts(CheckpointFolder checkpoint)
    {
        var (language, vision) = (checkpoint.Config.LanguageModel, checkpoint.Config.Vision);
        var parameters = checkpoint.Tensors.Sum(tensor => tensor.Entry.Count);
        yield return ("folder", checkpoint.Path);
        if (checkpoint.BasePath is { } start)
        {
            yield return ("base", start);
        }

        yield return ("layout", checkpoint.Layout.ToString());
        yield return ("parameters", string.Create(CultureInfo.InvariantCulture, $"{parameters:N0} in {checkpoint.Tensors.Count} tensors, {checkpoint.Tensors.Sum(tensor => tensor.Entry.Bytes) / 1e6:N1} MB as {checkpoint.StorageType}"));
        if (checkpoint.Packed is { } packed)
        {
            var bytes = checkpoint.Tensors.Select(tensor => tensor.File).Distinct().Sum(file => new FileInfo(file).Length);
            yield return ("packed", string.Create(CultureInfo.InvariantCulture, $"{packed.Scheme.Word()} for our own kernels, {bytes / 1e6:N1} MB on disk: answers, and cannot be trained or merged"));
        }

        yield return ("language model", $"{language.Layers} layers, hidden {language.HiddenSize}, MLP {language.IntermediateSize}, {language.Heads} heads ({language.KeyValueHeads} for keys and values), vocabulary {language.VocabularySize}");
        yield return ("vision tower", vision is null ? "none" : $"{vision.LayersUsed} of {vision.Layers} layers, hidden {vision.HiddenSize}, images of {vision.ImageSize} × {vision.ImageSize} in patches of {vision.PatchSize}, {vision.Features} features");
        yield return ("projector", checkpoint.Config.Projector is not { } projector ? "none" : $"{projector.Depth} layers, {projector.InputSize} to {projector.OutputSize}");
        yield return ("context", $"{checkpoint.ContextLength} tokens");
        yield return ("template", checkpoint.ConversationTemplate ?? $"{Llava.ModelCore.Prompts.TemplateSelection.ForModelName(checkpoint.Name).Name}, by the folder's name");
    }

    /// <summary>What the model takes with each scheme, and whether that is there.</summary>
    internal static IEnumerable<(string Name, string Value)> Memory(CheckpointFolder checkpoint, long free)
    {
        yield return ("memory", free == long.MaxValue ? "nothing says how much is free here" : string.Create(CultureInfo.InvariantCulture, $"{free / 1e6:N0} MB are free here; it takes"));
        foreach (var (scheme, memory) in MemoryFit.Schemes(checkpoint, EngineArguments.Options()))
        {
            yield return ($"  {scheme.Word()}", $"{memory}, which {(memory.Total <= free ? "fits" : "does not fit")}");
        }
    }
}
