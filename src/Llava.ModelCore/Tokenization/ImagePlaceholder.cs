namespace Llava.ModelCore.Tokenization;

/// <summary>Turns a prompt with <c>&lt;image&gt;</c> into ids with one placeholder id for each image (spec 1.6).</summary>
public static class ImagePlaceholder
{
    /// <summary>How an image is written in a prompt.</summary>
    public const string Text = "<image>";

    /// <summary>The id that stands for an image; never a row of the embedding table.</summary>
    public const int TokenId = -200;

    /// <summary>
    /// The prompt is split at every placeholder and the parts are encoded by themselves, so that text after an image starts with a ▁
    /// piece; bos is kept once. As upstream, a part loses its first id whenever the first part starts with bos, also where the
    /// tokenizer did not put it there (GPT-NeoX after a written <c>&lt;|endoftext|&gt;</c>).
    /// </summary>
    public static List<int> Encode(ITokenizer tokenizer, string prompt)
    {
        var parts = prompt.Split(Text);
        List<int> ids = [.. tokenizer.Encode(parts[0])];
        var skipped = ids.Count > 0 && ids[0] == tokenizer.BosId ? 1 : 0;
        foreach (var part in parts.AsSpan(1))
        {
            ids.Add(TokenId);
            ids.AddRange(tokenizer.Encode(part).Skip(skipped));
        }

        return ids;
    }

    /// <summary>How many images a prompt asks for.</summary>
    public static int Count(string prompt) => prompt.AsSpan().Count(Text);
}
