using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;

namespace Llava.Cli.Clients;

/// <summary>Says in a sentence what a server that did not do what was asked wants, and what to check.</summary>
internal static class ServerAnswers
{
    /// <summary>A server that was not reached.</summary>
    public static ServerException Unreachable(Uri server, int tries, Exception failure)
    {
        var reason = failure.GetBaseException() switch
        {
            SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "nothing listens there",
            SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain } => $"the name '{server.Host}' is not known",
            var other => other.Message,
        };
        return new(
            $"The server '{server}' was not reached in {tries} tries: {reason}. Check the address (--server or {ClientOptions.ServerVariable}), that 'llava up' or 'llava serve dashboard' runs there, " +
            "and that nothing between blocks the port.",
            isRetryable: true,
            failure);
    }

    /// <summary>An answer that says no.</summary>
    public static async Task<Exception> RefusalAsync(Uri server, ServerKey key, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode is >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest)
        {
            return new ServerException($"The server '{server}' sends on to '{response.Headers.Location}'; give that address instead.", isRetryable: false);
        }

        if (await ReadAsync(response, cancellationToken) is not { } error)
        {
            return NotOurs(server, response, null);
        }

        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => new ServerException($"The server '{server}' refuses: {error.Message} The API key came from {key.Origin}.", isRetryable: false),
            HttpStatusCode.BadRequest or HttpStatusCode.UnprocessableEntity or HttpStatusCode.RequestEntityTooLarge => new UsageException(error.Message),
            _ => new ServerException(error.Message, isRetryable: response.StatusCode >= HttpStatusCode.InternalServerError),
        };
    }

    /// <summary>An answer that is none of the API's.</summary>
    public static ServerException NotOurs(Uri server, HttpResponseMessage response, Exception? inner) => new(
        string.Create(CultureInfo.InvariantCulture, $"What answers at '{server}' is not this API: it sent status {(int)response.StatusCode} with {response.Content.Headers.ContentType?.MediaType ?? "no content type"} instead of the API's JSON. ") +
        "A proxy or another program may stand there; check the address and, behind a proxy, that it passes /api/v1 on.",
        isRetryable: false,
        inner);

    private static async Task<ErrorBody?> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize<ErrorDocument>(await response.Content.ReadAsStringAsync(cancellationToken), RequestJson.Options)?.Error;
        }
        catch (JsonException)
        {
            // Whoever asks says what came instead.
            return null;
        }
    }
}
