using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Llava.Ledger.Webhooks;

namespace Llava.Scheduler.Webhooks;

/// <summary>Signs events by the rules of Standard Webhooks, which OpenAI's libraries verify.</summary>
internal static class WebhookSignature
{
    private const string SecretPrefix = "whsec_";

    /// <summary>The headers of an event that is sent now.</summary>
    public static IReadOnlyDictionary<string, string> Headers(DueDelivery due, DateTimeOffset now)
    {
        var timestamp = now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var signed = Encoding.UTF8.GetBytes($"{due.Delivery.Event}.{timestamp}.{due.Delivery.Payload}");
        var secrets = new[] { due.Webhook.Secret, due.Webhook.FormerUntil > now ? due.Webhook.FormerSecret : null }.OfType<string>();
        return new Dictionary<string, string>
        {
            ["webhook-id"] = due.Delivery.Event,
            ["webhook-timestamp"] = timestamp,
            ["webhook-signature"] = string.Join(' ', secrets.Select(secret => $"v1,{Convert.ToBase64String(HMACSHA256.HashData(KeyOf(secret), signed))}")),
        };
    }

    private static byte[] KeyOf(string secret) => Convert.FromBase64String(secret[SecretPrefix.Length..]);
}
