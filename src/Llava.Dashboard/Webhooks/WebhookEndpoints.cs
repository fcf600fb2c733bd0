using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Dashboard.Api;
using Llava.Dashboard.OpenApi;
using Llava.Ledger.Keys;
using Llava.Ledger.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Llava.Dashboard.Webhooks;

/// <summary><c>/webhooks</c>: addresses of the caller's tenant that are told of events, and what was sent to them (docs/api.md).</summary>
internal static class WebhookEndpoints
{
    private const int UsualLimit = 50;
    private const int MaxLimit = 200;

    public static void MapWebhooks(this RouteGroupBuilder api)
    {
        api.MapPost("/webhooks", CreateAsync).RequireRole(AccessRole.Operator)
            .WithSummary("Adds an address that is told of events; its secret is shown this once").Takes<WebhookBody>().Produces<WebhookDocument>(StatusCodes.Status201Created);
        api.MapGet("/webhooks", ListAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists addresses").Produces<WebhookListDocument>();
        api.MapGet("/webhooks/{webhook}", ReadAsync).RequireRole(AccessRole.Viewer).WithSummary("Shows an address").Produces<WebhookDocument>();
        api.MapDelete("/webhooks/{webhook}", DeleteAsync).RequireRole(AccessRole.Operator).WithSummary("Removes an address and its deliveries").Produces(StatusCodes.Status204NoContent);
        api.MapPost("/webhooks/{webhook}/rotate", RotateAsync).RequireRole(AccessRole.Operator).WithSummary("Draws another secret; the former signs too for a day").Produces<WebhookDocument>();
        api.MapPost("/webhooks/{webhook}/test", TestAsync).RequireRole(AccessRole.Operator).WithSummary("Sends webhook.test").Produces<DeliveryDocument>(StatusCodes.Status202Accepted);
        api.MapGet("/webhooks/{webhook}/deliveries", ListDeliveriesAsync).RequireRole(AccessRole.Viewer).WithSummary("Lists what was sent to an address, the newest first").Produces<DeliveryListDocument>();
        api.MapPost("/webhooks/{webhook}/deliveries/{delivery}/redeliver", RedeliverAsync).RequireRole(AccessRole.Operator)
            .WithSummary("Sends a delivery again").Produces<DeliveryDocument>(StatusCodes.Status202Accepted);
    }

    private static async Task<IResult> CreateAsync(HttpRequest request, Caller caller, WebhookStore webhooks, CancellationToken cancellation)
    {
        var body = ApiJson.Read<WebhookBody>(await ApiJson.ReadAsync(request, cancellation));
        var url = UrlOf(body.Url);
        foreach (var type in body.Events ?? [])
        {
            if (!WebhookStore.EventTypes.Contains(type))
            {
                throw ApiQuery.Wrong("events", type, string.Join(", ", WebhookStore.EventTypes));
            }
        }

        var webhook = await webhooks.CreateAsync(caller.Tenant, url, body.Events ?? [], cancellation);
        return Results.Json(WebhookDocument.Of(webhook, showsSecret: true), RequestJson.Options, statusCode: StatusCodes.Status201Created);
    }

    private static async Task<IResult> ListAsync(Caller caller, WebhookStore webhooks, CancellationToken cancellation) =>
        Results.Json(new WebhookListDocument([.. (await webhooks.ListAsync(caller.Confinement, cancellation)).Select(webhook => WebhookDocument.Of(webhook))]), RequestJson.Options);

    private static async Task<IResult> ReadAsync(Caller caller, WebhookStore webhooks, string webhook, CancellationToken cancellation) =>
        Results.Json(WebhookDocument.Of(await FindAsync(caller, webhooks, webhook, cancellation)), RequestJson.Options);

    private static async Task<IResult> DeleteAsync(Caller caller, WebhookStore webhooks, string webhook, CancellationToken cancellation)
    {
        await webhooks.DeleteAsync(await FindAsync(caller, webhooks, webhook, cancellation), cancellation);
        return Results.NoContent();
    }

    private static async Task<IResult> RotateAsync(Caller caller, WebhookStore webhooks, string webhook, CancellationToken cancellation) => Results.Json(
        WebhookDocument.Of(await webhooks.RotateAsync(await FindAsync(caller, webhooks, webhook, cancellation), WebhookRules.Overlap, cancellation), showsSecret: true), RequestJson.Options);

    private static async Task<IResult> TestAsync(Caller caller, WebhookStore webhooks, string webhook, CancellationToken cancellation) => Results.Json(
        DeliveryDocument.Of(await webhooks.TestAsync(await FindAsync(caller, webhooks, webhook, cancellation), cancellation)), RequestJson.Options, statusCode: StatusCodes.Status202Accepted);

    private static async Task<IResult> ListDeliveriesAsync(
        Caller caller, WebhookStore webhooks, string webhook, string? state, string? after, string? limit, CancellationToken cancellation)
    {
        var most = limit is null ? UsualLimit : ApiQuery.Number("limit", limit, 1, MaxLimit);
        var found = await webhooks.DeliveriesAsync(await FindAsync(caller, webhooks, webhook, cancellation), StateOf(state), after, most + 1, cancellation);
        return Results.Json(new DeliveryListDocument([.. found.Take(most).Select(DeliveryDocument.Of)], found.Count > most), RequestJson.Options);
    }

    private static async Task<IResult> RedeliverAsync(Caller caller, WebhookStore webhooks, string webhook, string delivery, CancellationToken cancellation)
    {
        var found = await FindAsync(caller, webhooks, webhook, cancellation);
        var sent = await webhooks.FindDeliveryAsync(found, delivery, cancellation)
            ?? throw new ApiException(StatusCodes.Status404NotFound, "delivery_not_found", $"There is no delivery '{delivery}' to '{webhook}'; list them to see those there are.");
        return Results.Json(DeliveryDocument.Of(await webhooks.RedeliverAsync(found, sent, cancellation)), RequestJson.Options, statusCode: StatusCodes.Status202Accepted);
    }

    private static async Task<WebhookRecord> FindAsync(Caller caller, WebhookStore webhooks, string id, CancellationToken cancellation) =>
        await webhooks.FindAsync(id, caller.Confinement, cancellation)
        ?? throw new ApiException(StatusCodes.Status404NotFound, "webhook_not_found", $"There is no webhook '{id}'; list webhooks to see those there are.");

    private static string UrlOf(string? url) =>
        WebhookRules.IsAddress(url) ? url! : throw ApiQuery.Wrong("url", url ?? "", WebhookRules.Address);

    private static DeliveryState? StateOf(string? state) => state is null ? null
        : DeliveryStates.Names.Contains(state) ? Enum.Parse<DeliveryState>(state, ignoreCase: true)
        : throw ApiQuery.Wrong("state", state, string.Join(", ", DeliveryStates.Names));
}
