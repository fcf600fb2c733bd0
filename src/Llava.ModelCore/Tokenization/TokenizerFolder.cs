namespace Llava.ModelCore.Tokenization;

/// <summary>Opens the tokenizer of a checkpoint folder; which one it is is decided by the files, never by a name.</summary>
public static class TokenizerFolder
{
    /// <summary>
    /// Reads <c>tokenizer.model</c> (LLaMA) or a byte-level <c>tokenizer.json</c> (GPT-NeoX), with <c>special_tokens_map.json</c>,
    /// <c>tokenizer_config.json</c> and <c>added_tokens.json</c> where they are.
    /// </summary>
    /// <exception cref="TokenizerException">No tokenizer, a damaged file, or a kind that is not supported.</exception>
    public static ITokenizer Open(string folder)
    {
        try
        {
            return OpenByContent(folder);
        }
        catch (Exception exception) when (exception is InvalidOperationException or KeyNotFoundException or FormatException or ArgumentException)
        {
            // What the files say does not fit together: a field of another type, one id for two tokens, ….
            throw new TokenizerException($"Cannot use the tokenizer files in '{folder}': {exception.Message} Copy them again from the original model.", exception);
        }
    }

    /// <summary>Whether a folder holds a tokenizer.</summary>
    public static bool IsIn(string folder) => File.Exists(Path.Combine(folder, "tokenizer.model")) || File.Exists(Path.Combine(folder, "tokenizer.json"));

    private static ITokenizer OpenByContent(string folder)
    {
        var modelFile = Path.Combine(folder, "tokenizer.model");
        var jsonFile = Path.Combine(folder, "tokenizer.json");
        if (File.Exists(modelFile))
        {
            return OpenLlama(SentencePieceModel.Load(modelFile), TokenizerSettings.Read(folder));
        }

        return File.Exists(jsonFile)
            ? OpenByteLevel(jsonFile, TokenizerSettings.Read(folder))
            : throw new TokenizerException($"'{folder}' holds neither tokenizer.model nor tokenizer.json. Copy the tokenizer files of the base model into it.");
    }

    private static LlamaTokenizer OpenLlama(SentencePieceModel model, TokenizerSettings settings)
    {
        settings = settings.WithDefaults(bos: "<s>", eos: "</s>", unk: "<unk>");
        var added = settings.MergeAddedTokens(settings.DeclaredTokens, model.IdOf);
        return new LlamaTokenizer(model, settings.RoleIds(added), added) { AddsBos = settings.AddsBos };
    }

    private static ByteLevelBpeTokenizer OpenByteLevel(string path, TokenizerSettings settings)
    {
        var root = JsonFile.Read(path);
        if (!ByteLevelBpeModel.IsByteLevel(root))
        {
            throw new TokenizerException($"'{path}' is not a byte-level BPE tokenizer. If the model is of the LLaMA family, put its tokenizer.model next to it.");
        }

        var model = ByteLevelBpeModel.Parse(root, path);
        var added = settings.MergeAddedTokens(model.AddedTokens, token => model.Vocabulary.TryGetValue(token, out var id) ? id : null);
        return new ByteLevelBpeTokenizer(model, settings.RoleIds(added), added) { CleansUpSpaces = settings.CleansUpSpaces };
    }
}
