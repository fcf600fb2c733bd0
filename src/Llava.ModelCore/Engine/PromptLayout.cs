using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Tokenization;

namespace Llava.ModelCore.Engine;

/// <summary>A run of a prompt's positions: tokens of text, or the features of one image.</summary>
/// <param name="FirstPosition">Position of the run's first element.</param>
/// <param name="Count">Positions.</param>
/// <param name="FirstToken">Index of the first token in the prompt, or of the placeholder.</param>
/// <param name="Image">Index of the image; −1 for text.</param>
internal readonly record struct PromptPiece(int FirstPosition, int Count, int FirstToken, int Image)
{
    /// <summary>The position after the last.</summary>
    public int End => FirstPosition + Count;
}

/// <summary>Where the tokens and images of a prompt lie after splicing (spec 1.8), and which part of it others can share.</summary>
internal sealed class PromptLayout
{
    private PromptLayout(List<PromptPiece> pieces, int prefixPositions, string? prefixKey)
    {
        Pieces = pieces;
        Positions = pieces[^1].End;
        PrefixPositions = prefixPositions;
        PrefixKey = prefixKey;
    }

    /// <summary>The runs in order, without gaps.</summary>
    public IReadOnlyList<PromptPiece> Pieces { get; }

    /// <summary>Positions of the prompt, images included.</summary>
    public int Positions { get; }

    /// <summary>
    /// Positions up to and including the last image, or all where the request says so, but never the prompt's last position, whose logits every sequence needs
    /// for itself; 0 when nothing is shareable.
    /// </summary>
    public int PrefixPositions { get; }

    /// <summary>Names the content of the prefix; null when nothing is shareable.</summary>
    public string? PrefixKey { get; }

    /// <summary>Lays a request out and checks everything about it that can be checked without computing.</summary>
    /// <exception cref="RequestRefusedException">The request contradicts itself or the model.</exception>
    public static PromptLayout Of(SequenceRequest request, LlavaConfig config)
    {
        if (request.Sampling.Validate() is { Count: > 0 } findings)
        {
            throw new RequestRefusedException("invalid_settings", $"The sampling settings cannot be used: {string.Join(" ", findings)}");
        }

        CheckTokens(request, config);
        CheckImages(request, config);
        var pieces = Split(request.PromptTokens, config.Vision?.Features ?? 0);
        var imageEnd = pieces.FindLast(p => p.Image >= 0).End;
        // With dynamic RoPE a long prompt's keys depend on its whole length, so its beginning is nobody else's.
        var isShareable = !LanguageModelPositions.DependOnLength(config.LanguageModel, pieces[^1].End);
        var prefix = isShareable ? Math.Min(request.SharesWholePrompt ? pieces[^1].End : imageEnd, pieces[^1].End - 1) : 0;
        return new PromptLayout(pieces, prefix, prefix > 0 ? KeyOf(request, prefix, pieces) : null);
    }

    /// <summary>The parts of the runs that some positions cover: the run, where in the run the part starts, how long it is.</summary>
    public IEnumerable<(PromptPiece Piece, int From, int Count)> Slice(int first, int count)
    {
        foreach (var piece in Pieces)
        {
            var from = Math.Max(first, piece.FirstPosition);
            var length = Math.Min(first + count, piece.End) - from;
            if (length > 0)
            {
                yield return (piece, from - piece.FirstPosition, length);
            }
        }
    }

    private static List<PromptPiece> Split(IReadOnlyList<int> tokens, int features)
    {
        List<PromptPiece> pieces = [];
        var (position, image) = (0, 0);
        for (var i = 0; i < tokens.Count;)
        {
            var next = i;
            while (next < tokens.Count && tokens[next] != ImagePlaceholder.TokenId)
            {
                next++;
            }

            var piece = next > i ? new PromptPiece(position, next - i, i, Image: -1) : new PromptPiece(position, features, i, image++);
            pieces.Add(piece);
            position = piece.End;
            i = Math.Max(next, i + 1);
        }

        return pieces;
    }

    private static string KeyOf(SequenceRequest request, int prefix, List<PromptPiece> pieces)
    {
        var key = new StringBuilder();
        foreach (var piece in pieces.TakeWhile(p => p.FirstPosition < prefix))
        {
            if (piece.Image >= 0)
            {
                key.Append(CultureInfo.InvariantCulture, $"|{request.Images[piece.Image].ContentHash}|");
            }

            for (var i = 0; piece.Image < 0 && i < piece.Count; i++)
            {
                key.Append(CultureInfo.InvariantCulture, $"{request.PromptTokens[piece.FirstToken + i]},");
            }
        }

        key.Append(prefix);
        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString())));
    }

    private static void CheckTokens(SequenceRequest request, LlavaConfig config)
    {
        if (request.PromptTokens.Count == 0)
        {
            throw new RequestRefusedException("invalid_token", "The prompt has no tokens; it needs at least one.");
        }

        var vocabulary = config.LanguageModel.VocabularySize;
        for (var i = 0; i < request.PromptTokens.Count; i++)
        {
            var id = request.PromptTokens[i];
            if ((id < 0 || id >= vocabulary) && id != ImagePlaceholder.TokenId)
            {
                throw new RequestRefusedException(
                    "invalid_token", $"Token {i} of the prompt has id {id}; the model knows 0 to {vocabulary - 1}, and {ImagePlaceholder.TokenId} for an image.");
            }
        }
    }

    private static void CheckImages(SequenceRequest request, LlavaConfig config)
    {
        var placeholders = request.PromptTokens.Count(id => id == ImagePlaceholder.TokenId);
        if (placeholders != request.Images.Count)
        {
            throw new RequestRefusedException(
                "image_count_mismatch", $"The prompt has {placeholders} image placeholders and the request {request.Images.Count} images; there must be one image for each.");
        }

        if (placeholders > 0 && (config.Vision is null || config.Projector is null))
        {
            throw new RequestRefusedException("invalid_image", "The model is a plain language model and cannot see images; send text only.");
        }

        foreach (var image in request.Images)
        {
            if (image.Side != config.Vision!.ImageSize)
            {
                throw new RequestRefusedException(
                    "invalid_image", $"An image has side {image.Side}; the vision tower takes {config.Vision.ImageSize}. Preprocess it for this model.");
            }
        }
    }
}
