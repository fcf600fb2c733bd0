using System.Globalization;
using System.Text.Json;

namespace Llava.Contracts.OpenAi;

/// <summary>Reads what is to be embedded, the same for somebody who waits and for lines of a batch.</summary>
internal static class EmbeddingInputs
{
    private const string Input = "input";

    /// <summary>The images: URLs, or parts as in messages.</summary>
    /// <param name="input">The field <c>input</c>.</param>
    /// <param name="most">How many there may be.</param>
    /// <param name="isImage">Whether a text names an image; any other is a text to embed.</param>
    /// <exception cref="OpenAiException">It is missing, too long, or a text.</exception>
    public static List<ImageUrl> Read(JsonElement? input, int most, Func<string, bool> isImage)
    {
        List<ImageUrl> inputs = input switch
        {
            { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Index().Select(one => ReadOne(one.Item, $"{Input}[{one.Index.ToString(CultureInfo.InvariantCulture)}]", isImage))],
            { ValueKind: JsonValueKind.String or JsonValueKind.Object } one => [ReadOne(one, Input, isImage)],
            _ => [],
        };
        return inputs.Count == 0 ? throw OpenAiException.Invalid("missing_required_parameter", "'input' must be an image's URL, or a list of them.", Input)
            : inputs.Count <= most ? inputs
            : throw OpenAiException.Invalid("invalid_value", FormattableString.Invariant($"'input' has {inputs.Count} images and the limit is {most}."), Input);
    }

    /// <summary>How the vectors are written.</summary>
    /// <exception cref="OpenAiException">There is no such way.</exception>
    public static VectorEncoding EncodingOf(string? encodingFormat) => encodingFormat switch
    {
        null or "float" => VectorEncoding.Float,
        "base64" => VectorEncoding.Base64,
        var other => throw OpenAiException.Invalid("invalid_value", $"'encoding_format' is '{other}'; give float or base64.", "encoding_format"),
    };

    private static ImageUrl ReadOne(JsonElement input, string field, Func<string, bool> isImage) => input switch
    {
        { ValueKind: JsonValueKind.String } url when isImage(url.GetString()!) => new(url, field),
        { ValueKind: JsonValueKind.Object } => MessageContent.ReadImage(input, field),
        _ => throw OpenAiException.Invalid("unsupported_input",
            $"'{field}' is a text, and the models here embed images only: a LLaVA checkpoint has no text tower. Give an image as data:image/…;base64,…, http(s)://…, file-id:… or file://….", field),
    };
}
