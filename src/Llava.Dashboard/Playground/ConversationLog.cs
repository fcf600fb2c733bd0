using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Options;

namespace Llava.Dashboard.Playground;

/// <summary>
/// Conversations and judgements as lines of JSON, as the original's web interface writes them (<c>2026-11-28-conv.json</c> with <c>tstamp</c>, <c>type</c>, <c>model</c> and
/// <c>state</c>), without addresses of readers.
/// </summary>
internal sealed class ConversationLog(IOptions<PlaygroundOptions> options, TimeProvider time) : IDisposable
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Whether anything is written.</summary>
    public bool IsOn => options.Value is { Log: true, Folder: not null };

    public void Dispose() => _turn.Dispose();

    /// <summary>Writes a line, unless the day's file is full.</summary>
    public async Task WriteAsync(ConversationEntry entry, CancellationToken cancellation)
    {
        if (!IsOn)
        {
            return;
        }

        var now = time.GetUtcNow();
        var line = JsonSerializer.SerializeToUtf8Bytes(
            new { Tstamp = Math.Round(now.ToUnixTimeMilliseconds() / 1000.0, 4), entry.Type, entry.Model, State = new { entry.Messages } }, Json);
        var folder = Directory.CreateDirectory(options.Value.Folder!).FullName;
        await _turn.WaitAsync(cancellation);
        try
        {
            await using FileStream file = new(Path.Combine(folder, now.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + "-conv.json"), FileMode.Append, FileAccess.Write, FileShare.Read);
            if (file.Length + line.Length < options.Value.MaxBytesPerDay)
            {
                await file.WriteAsync((byte[])[.. line, (byte)'\n'], CancellationToken.None);
            }
        }
        finally
        {
            _turn.Release();
        }
    }
}
