using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Llava.Dashboard.OpenApi;

/// <summary>
/// Says of a route what cannot be seen in its handler, which reads bodies, forms and pages by hand. ASP.NET's own <c>Accepts</c> would turn
/// away whoever names no content type.
/// </summary>
internal static class RouteDescriptions
{
    /// <summary>The route reads a JSON body.</summary>
    public static RouteHandlerBuilder Takes<T>(this RouteHandlerBuilder route, bool isOptional = false) => route.WithMetadata(new TakenBody(typeof(T), !isOptional));

    /// <summary>The route reads a form of these fields; the first one is a file.</summary>
    public static RouteHandlerBuilder TakesForm(this RouteHandlerBuilder route, params string[] fields) => route.WithMetadata(new TakenForm(fields));

    /// <summary>The route reads <c>after</c>, <c>limit</c> and <c>order</c> of the query string.</summary>
    public static RouteHandlerBuilder TakesPage(this RouteHandlerBuilder route) => route.WithMetadata(new TakenPage());

    /// <summary>The route answers with server-sent events where that is asked for.</summary>
    public static RouteHandlerBuilder Streams<T>(this RouteHandlerBuilder route) => route.WithMetadata(new StreamedAnswer(typeof(T)));

    /// <summary>A JSON body.</summary>
    public sealed record TakenBody(Type Type, bool IsRequired);

    /// <summary>A form.</summary>
    public sealed record TakenForm(IReadOnlyList<string> Fields);

    /// <summary>A page of a list.</summary>
    public sealed record TakenPage;

    /// <summary>Server-sent events.</summary>
    public sealed record StreamedAnswer(Type Type);
}
