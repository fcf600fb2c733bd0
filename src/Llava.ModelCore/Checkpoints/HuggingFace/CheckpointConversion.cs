using static TorchSharp.torch;

namespace Llava.ModelCore.Checkpoints.HuggingFace;

/// <summary>
/// Writes a checkpoint that was opened in the other of the two layouts that LLaVA is published in, one tensor in memory at a time. There and back, every weight
/// has the same bits.
/// </summary>
public static class CheckpointConversion
{
    /// <summary>Writes the original LLaVA layout; what llava-hf adds to the vocabulary is cut off again.</summary>
    /// <param name="from">The checkpoint.</param>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <param name="type">Type of the weights; null keeps the checkpoint's.</param>
    /// <exception cref="CheckpointException">A file is damaged, or the folder already holds weights.</exception>
    public static void ToOriginal(CheckpointFolder from, string folder, ScalarType? type = null)
    {
        var tensors = from.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        var rows = from.GeneratableVocabulary;
        var options = Options(from, type);
        options.Generation = from.Generation with { PadToken = from.Generation.PadToken < rows ? from.Generation.PadToken : 0 };
        var config = from.Config with { LanguageModel = from.Config.LanguageModel with { VocabularySize = rows } };
        LlavaCheckpointWriter.Write(folder, config, name => HasRows(name) ? tensors[name].Read().narrow(0, 0, rows) : tensors[name].Read(), options);
        ImageTokens.Remove(folder, rows);
    }

    /// <summary>
    /// Writes llava-hf's layout, as on the hub. Its vocabulary has a token for images and one for padding; their rows, and those that fill up to a multiple of 64,
    /// are the mean of the others.
    /// </summary>
    /// <param name="from">The checkpoint.</param>
    /// <param name="folder">Made if need be; must hold no weights.</param>
    /// <param name="type">Type of the weights; null keeps the checkpoint's.</param>
    /// <exception cref="CheckpointException">The layout has no place for such a model, a file is damaged, or the folder already holds weights.</exception>
    public static void ToHuggingFace(CheckpointFolder from, string folder, ScalarType? type = null)
    {
        Require(from);
        LlavaCheckpointWriter.RequireNoWeights(folder);
        Directory.CreateDirectory(folder);
        var words = from.GeneratableVocabulary;
        var config = from.Config with { LanguageModel = from.Config.LanguageModel with { VocabularySize = ImageTokens.RowsFor(words) } };
        var options = Options(from, type);
        WriteWeights(from, folder, config, words, options);
        LlavaCheckpointWriter.CopyTokenizer(from.TokenizerFolder, folder);
        ImageTokens.Add(folder, words);
        HfJson.Write(folder, config, words, options, from.ConversationTemplate ?? options.ConversationTemplate);
    }

    /// <summary>A tower that was published apart may have another type than the language model; each tensor keeps its own.</summary>
    private static CheckpointWriteOptions Options(CheckpointFolder from, ScalarType? type)
    {
        var options = CheckpointCopy.Options(from, type);
        if (type is null)
        {
            var types = from.Tensors.ToDictionary(tensor => tensor.Parameter.Name, tensor => tensor.Entry.Type);
            options.TypeOf = parameter => types[parameter.Name];
        }

        return options;
    }

    private static void WriteWeights(CheckpointFolder from, string folder, LlavaConfig config, int words, CheckpointWriteOptions options)
    {
        var tensors = from.Tensors.ToDictionary(tensor => tensor.Parameter.Name);
        var names = LayoutNames.Of(CheckpointLayout.HfOld);
        var ours = ModelParameters.Of(config).ToDictionary(parameter => names.InFile(parameter.Name, config.Projector!.Depth));
        TensorEntry[] entries =
        [
            .. ours.Select(parameter => new TensorEntry(parameter.Key, options.TypeOf?.Invoke(parameter.Value) ?? options.StorageType, parameter.Value.Shape)),
            .. LlavaCheckpointWriter.PostNorm(config.Vision!, names.Vision, options.StorageType),
        ];
        SafeTensorsWriter.WriteFolder(folder, entries, Read);

        Tensor Read(string name) => !ours.TryGetValue(name, out var parameter) ? LlavaCheckpointWriter.Identity(name, config.Vision!)
            : HasRows(parameter.Name) ? WithRows(tensors[parameter.Name].Read(), words, parameter.Shape[0])
            : tensors[parameter.Name].Read();
    }

    private static bool HasRows(string name) => name is ModelParameters.LanguageModel + "embed_tokens.weight" or ModelParameters.LanguageModel + "lm_head.weight";

    private static Tensor WithRows(Tensor table, int words, long rows)
    {
        var known = table.narrow(0, 0, words);
        var mean = known.to(ScalarType.Float32).mean([0], keepdim: true).to(table.dtype);
        return cat([known, mean.expand(rows - words, -1)], 0);
    }

    private static void Require(CheckpointFolder from)
    {
        var what = from.Config switch
        {
            { Vision: null } => "is a plain language model",
            { LanguageModel.Mpt: not null } => "has an MPT decoder",
            { Projector.Depth: not 2 } => $"has a projector of {from.Config.Projector?.Depth ?? 0} layers, and the layout one of 2",
            { UseImageStartEnd: true } => "puts tokens of its own around images",
            _ when from.Packed is not null => "is packed for our own kernels",
            _ => null,
        };
        if (what is not null)
        {
            throw new CheckpointException($"'{from.Path}' cannot be written in llava-hf's layout, which has no place for it: it {what}. 'llava models convert --to original' and 'llava models quantize' write other forms.");
        }
    }
}
