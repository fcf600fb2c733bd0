using System.Text.Json;
using Llava.Contracts.OpenAi;
using Llava.Contracts.Requests;
using Llava.Hosting.Paths;

namespace Llava.Scheduler.Sources;

/// <summary>A line of a batch that asks for vectors of images.</summary>
internal static class OpenAiEmbedding
{
    private const int MostImages = 16;
    private const string FileUrl = "file://";

    /// <exception cref="OpenAiException">It is wrong, or asks for what items cannot do.</exception>
    public static OpenAiQuestion Read(JsonElement body, JobRequest job)
    {
        var model = OpenAiQuestion.ModelOf(body.TextOf("model"), job);
        if (body.TryGetProperty("dimensions", out var dimensions) && dimensions.ValueKind != JsonValueKind.Null)
        {
            throw OpenAiException.Invalid("unsupported_parameter", "'dimensions' is not supported in a batch: a vector has as many as the model makes. Leave it out.", "dimensions");
        }

        var images = EmbeddingInputs.Read(body.TryGetProperty("input", out var input) ? input : null, MostImages, IsImage);
        // One token, as nothing is generated: shares are measured in them.
        return new("", images, new ItemChat { Embedding = EmbeddingInputs.EncodingOf(body.TextOf("encoding_format")), Settings = new() { MaxNewTokens = 1 } }, model);
    }

    private static bool IsImage(string input) => DataUrl.IsDataUrl(input) || ImageLocation.IsUrl(input) || Path.IsPathRooted(input)
        || input.StartsWith(SourceDescription.FileId, StringComparison.Ordinal) || input.StartsWith(FileUrl, StringComparison.OrdinalIgnoreCase);
}
