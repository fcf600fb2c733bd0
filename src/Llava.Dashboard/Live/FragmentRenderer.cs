using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Abstractions;
using Microsoft.AspNetCore.Mvc.ModelBinding;
using Microsoft.AspNetCore.Mvc.Razor;
using Microsoft.AspNetCore.Mvc.Rendering;
using Microsoft.AspNetCore.Mvc.ViewFeatures;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Llava.Dashboard.Live;

/// <summary>Renders a partial outside of any request: the same file that the page itself shows.</summary>
internal sealed class FragmentRenderer(IServiceScopeFactory scopes, ITempDataProvider tempData)
{
    private const string Folder = "/Pages/Shared/";

    /// <summary>The partial's HTML.</summary>
    /// <param name="partial">Name of a file in <c>Pages/Shared</c>, such as <c>_Alarms</c>.</param>
    /// <param name="model">Its model.</param>
    public async Task<string> RenderAsync<T>(string partial, T model)
    {
        await using var scope = scopes.CreateAsyncScope();
        DefaultHttpContext http = new() { RequestServices = scope.ServiceProvider };
        ActionContext action = new(http, new RouteData(), new ActionDescriptor());
        var found = scope.ServiceProvider.GetRequiredService<IRazorViewEngine>().GetView(null, $"{Folder}{partial}.cshtml", isMainPage: false);
        found.EnsureSuccessful([Folder]);
        await using StringWriter text = new();
        ViewDataDictionary<T> data = new(new EmptyModelMetadataProvider(), new ModelStateDictionary()) { Model = model };
        await found.View!.RenderAsync(new(action, found.View, data, new TempDataDictionary(http, tempData), text, new HtmlHelperOptions()));
        return text.ToString();
    }
}
