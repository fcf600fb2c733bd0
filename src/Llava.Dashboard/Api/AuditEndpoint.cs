using System.Globalization;
using System.Text.Json;
using Llava.Contracts.Documents;
using Llava.Contracts.Requests;
using Llava.Ledger.Audit;
using Llava.Ledger.Keys;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Api;

/// <summary><c>GET /audit</c>: who did what when, for admins.</summary>
internal static class AuditEndpoint
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 500;

    public static void MapAudit(this RouteGroupBuilder api) => api.MapGet("/audit", ListAsync).RequireRole(AccessRole.Admin)
        .WithSummary("Lists who did what when, the newest first").Produces<AuditPage>();

    private static async Task<IResult> ListAsync(
        AuditLog audit, string? actor, string? action, string? target, string? tenant, string? after, string? limit, CancellationToken cancellation)
    {
        var size = limit is null ? DefaultLimit : ApiQuery.Number("limit", limit, 1, MaxLimit);
        var found = await audit.ListAsync(new()
        {
            Actor = actor,
            Action = action,
            Target = target,
            Tenant = tenant,
            Before = after is null ? long.MaxValue : long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var last) ? last : throw ApiQuery.Wrong("after", after, "the 'next' of the page before"),
            Limit = size + 1, // one more tells whether there is another page
        }, cancellation);
        var page = found.Take(size).Select(Of).ToList();
        return Results.Json(new AuditPage(page, found.Count > size ? page[^1].Number.ToString(CultureInfo.InvariantCulture) : null), RequestJson.Options);
    }

    private static AuditDocument Of(AuditEntry entry) => new(
        entry.Number, entry.At, entry.Actor, entry.Tenant, entry.Action, entry.Target, entry.RequestId,
        entry.Details is null ? null : JsonSerializer.Deserialize<JsonElement>(entry.Details), entry.Hash);
}
