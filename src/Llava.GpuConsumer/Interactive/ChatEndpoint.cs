using System.Text.Json;
using Llava.Contracts.Interactive;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Interactive;

/// <summary>Interactive requests by HTTP (<see cref="InteractiveWire"/>). A caller that goes away ends his request.</summary>
internal sealed partial class ChatEndpoint(IInteractiveModels models, TimeProvider time, ILogger logger)
{
    public async Task ChatAsync(HttpContext context)
    {
        if (await ReadAsync<ChatRequest>(context) is not { } request)
        {
            return;
        }

        context.Response.ContentType = InteractiveWire.LinesType;
        try
        {
            await using var events = models.ChatAsync(request, context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
            while (await NextAsync(events, context))
            {
                await WriteAsync(context, events.Current);
            }
        }
        catch (InteractiveException failure)
        {
            Failed(request.RequestId, request.Model, failure.Error.Code);
            await WriteAsync(context, new ChatFailed(failure.Error));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            GaveUp(request.RequestId);
        }
    }

    public async Task EmbedAsync(HttpContext context)
    {
        if (await ReadAsync<EmbeddingRequest>(context) is not { } request)
        {
            return;
        }

        EmbeddingReply reply;
        try
        {
            reply = new(await models.EmbedAsync(request, context.RequestAborted), null);
        }
        catch (InteractiveException failure)
        {
            Failed(request.RequestId, request.Model, failure.Error.Code);
            reply = new(null, failure.Error);
        }

        await context.Response.WriteAsJsonAsync(reply, InteractiveWire.Json, context.RequestAborted);
    }

    /// <summary>Waits for the next event and says meanwhile that somebody is there.</summary>
    private async Task<bool> NextAsync(IAsyncEnumerator<ChatEvent> events, HttpContext context)
    {
        var next = events.MoveNextAsync().AsTask();
        try
        {
            while (!next.IsCompleted)
            {
                using CancellationTokenSource come = new();
                if (await Task.WhenAny(next, Task.Delay(InteractiveWire.PingInterval, time, come.Token)) != next)
                {
                    await WriteAsync(context, new ChatPing());
                }

                await come.CancelAsync();
            }
        }
        finally
        {
            // Where writing fails nobody reads any more; the events end by the same token and may not be left while they move.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return await next;
    }

    private static async Task WriteAsync(HttpContext context, ChatEvent said)
    {
        await JsonSerializer.SerializeAsync(context.Response.BodyWriter, said, InteractiveWire.Json, context.RequestAborted);
        await context.Response.BodyWriter.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
        await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
    }

    /// <summary>The body; null when it was none and that has been said.</summary>
    private static async Task<T?> ReadAsync<T>(HttpContext context)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync<T>(context.Request.Body, InteractiveWire.Json, context.RequestAborted) ?? throw new JsonException("null");
        }
        catch (JsonException)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return null;
        }
    }

    [LoggerMessage(3041, LogLevel.Warning, "Interactive request {Request} for {Model} failed: {Code}")]
    private partial void Failed(string request, string model, string code);

    [LoggerMessage(3042, LogLevel.Debug, "Interactive request {Request}: whoever asked went away")]
    private partial void GaveUp(string request);
}
