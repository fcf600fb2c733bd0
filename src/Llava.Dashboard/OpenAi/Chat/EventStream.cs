using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Dashboard.Interactive;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenAi.Chat;

/// <summary>Server-sent events as OpenAI's libraries read them: <c>data: {json}</c>, and <c>data: [DONE]</c> where all went well.</summary>
internal sealed class EventStream(HttpContext context, TimeProvider time)
{
    /// <summary>How often somebody waiting is told that the connection lives; proxies close silent ones.</summary>
    public static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(10);

    /// <summary>Sends the headers. From here on errors are events.</summary>
    public Task BeginAsync()
    {
        var headers = context.Response.Headers;
        headers.ContentType = "text/event-stream";
        headers.CacheControl = "no-cache";
        headers["X-Accel-Buffering"] = "no";
        return context.Response.Body.FlushAsync(context.RequestAborted);
    }

    public Task SendAsync<T>(T value, JsonTypeInfo<T> type) => SendAsync("data: "u8, JsonSerializer.SerializeToUtf8Bytes(value, type));

    public Task FailAsync(ErrorBody error) => SendAsync("data: "u8, JsonSerializer.SerializeToUtf8Bytes(new ErrorDocument(error), RequestJson.Options));

    public Task EndAsync() => SendAsync("data: "u8, "[DONE]"u8);

    /// <summary>Waits for the chat's next event, with comments meanwhile.</summary>
    public async Task<bool> NextAsync(RunningChat chat)
    {
        var next = chat.MoveNextAsync().AsTask();
        try
        {
            while (!next.IsCompleted)
            {
                using CancellationTokenSource come = new();
                if (await Task.WhenAny(next, Task.Delay(PingInterval, time, come.Token)) != next)
                {
                    await SendAsync(": "u8, "ping"u8);
                }

                await come.CancelAsync();
            }
        }
        finally
        {
            // Where writing fails nobody reads any more; the chat ends by the same token and may not be left while it moves.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await next;
    }

    private Task<FlushResult> SendAsync(ReadOnlySpan<byte> prefix, ReadOnlySpan<byte> content)
    {
        var body = context.Response.BodyWriter;
        var span = body.GetSpan(prefix.Length + content.Length + 2);
        prefix.CopyTo(span);
        content.CopyTo(span[prefix.Length..]);
        "\n\n"u8.CopyTo(span[(prefix.Length + content.Length)..]);
        body.Advance(prefix.Length + content.Length + 2);
        return body.FlushAsync(context.RequestAborted).AsTask();
    }
}
