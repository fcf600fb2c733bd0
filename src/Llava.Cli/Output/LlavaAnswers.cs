using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Llava.Ledger.Jobs;
using Llava.Ledger.Results;

namespace Llava.Cli.Output;

/// <summary>
/// LLaVA's answer file (spec 8.1): one line per question, in order. A question that failed has an empty answer and its cause in the metadata,
/// so that question and answer files stay line by line beside each other.
/// </summary>
internal sealed class LlavaAnswers(TextWriter output, JobRecord job) : IResultWriter
{
    // shortuuid's alphabet: no letter that is taken for another.
    private const string Alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    private const int IdLength = 22;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public Task WriteAsync(ItemResult result, CancellationToken cancellationToken)
    {
        var failure = result.Result.Failure;
        var line = new Dictionary<string, object?>
        {
            ["question_id"] = long.TryParse(result.CustomId, out var number) ? number : result.CustomId,
            ["prompt"] = job.Asked(result),
            ["text"] = result.Result.Text ?? "",
            ["answer_id"] = AnswerId(result.ItemNo),
            ["model_id"] = job.ModelName(result),
            ["metadata"] = failure is null ? new Dictionary<string, string>() : new Dictionary<string, string> { ["error_code"] = failure.Code, ["error_message"] = failure.Message },
        };
        return output.WriteLineAsync(JsonSerializer.Serialize(line, Readable).AsMemory(), cancellationToken);
    }

    public ValueTask DisposeAsync() => output.DisposeAsync();

    /// <summary>22 letters in base 57, the same every time this item's answer is written.</summary>
    private string AnswerId(int item)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes($"{job.Id}/{item}"));
        var value = new BigInteger(digest.AsSpan(0, 16), isUnsigned: true);
        var id = new char[IdLength];
        for (var i = 0; i < IdLength; i++, value /= Alphabet.Length)
        {
            id[i] = Alphabet[(int)(value % Alphabet.Length)];
        }

        return new string(id);
    }
}
