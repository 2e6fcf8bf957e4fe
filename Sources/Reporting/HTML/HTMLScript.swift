/// What the page can do beyond being read: sort and filter its tables, open its folds, copy its commands. Everything is there
/// without it, and nothing that a run says is ever taken for more than text.
enum HTMLScript {
  static let text = """
    (function(){
    'use strict';
    function make(name,text,parent,before){var e=document.createElement(name);e.textContent=text;\
    parent.insertBefore(e,before||null);return e}
    function value(row,column){var c=row.cells[column];if(!c)return NaN;\
    var t=c.textContent.trim().replace('\\u2212','-').replace('\\u221e','Infinity').replace(/,(?=\\d{3})/g,'');\
    return parseFloat(t.replace(/^>\\s*/,''))}
    function text(row,column){var c=row.cells[column];return c?c.textContent.trim():''}
    document.querySelectorAll('table').forEach(function(table){
    var body=table.tBodies[0],rows=Array.from(body.rows);
    if(rows.length<3)return;
    var heads=Array.from(table.tHead.rows[0].cells);
    heads.forEach(function(head,column){
    head.classList.add('sort');head.tabIndex=0;head.title='Sort';
    function sort(){
    var up=head.getAttribute('aria-sort')!=='ascending';
    heads.forEach(function(h){h.removeAttribute('aria-sort')});
    head.setAttribute('aria-sort',up?'ascending':'descending');
    var figures=rows.some(function(r){return r.cells[column]&&r.cells[column].classList.contains('num')});
    var keyed=rows.map(function(r,i){return{row:r,i:i,k:figures?value(r,column):text(r,column)}});
    function none(k){return figures?isNaN(k):k===''}
    keyed.sort(function(a,b){
    if(none(a.k)||none(b.k))return none(a.k)-none(b.k)||a.i-b.i;
    var d=figures?a.k-b.k:a.k.localeCompare(b.k,'en',{numeric:true});
    return(up?d:-d)||a.i-b.i});
    keyed.forEach(function(k){body.appendChild(k.row)})}
    head.addEventListener('click',sort);
    head.addEventListener('keydown',function(e){if(e.key==='Enter'||e.key===' '){e.preventDefault();sort()}})});
    if(rows.length<8)return;
    var box=table.parentNode,tools=make('div','',box.parentNode,box);tools.className='tools';
    var input=make('input','',tools);input.type='search';input.className='filter';input.placeholder='Filter rows';
    input.setAttribute('aria-label','Filter rows');
    var count=make('span','',tools);
    input.addEventListener('input',function(){
    var words=input.value.toLowerCase().split(/\\s+/).filter(Boolean),shown=0;
    rows.forEach(function(r){var t=r.textContent.toLowerCase();\
    r.hidden=!words.every(function(w){return t.indexOf(w)>=0});if(!r.hidden)shown++});
    count.textContent=words.length?' '+shown+' of '+rows.length:''})});
    var folds=Array.from(document.querySelectorAll('details'));
    if(folds.length){var nav=document.querySelector('nav'),all=make('button','Open all',nav);all.type='button';
    all.addEventListener('click',function(){var open=folds.some(function(d){return!d.open});
    folds.forEach(function(d){d.open=open});all.textContent=open?'Close all':'Open all'})}
    function reveal(){var at=location.hash.length>1&&document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if(!at)return;for(var e=at;e;e=e.parentElement)if(e.tagName==='DETAILS')e.open=true;at.scrollIntoView()}
    window.addEventListener('hashchange',reveal);reveal();
    if(navigator.clipboard)document.querySelectorAll('pre.command').forEach(function(p){
    var code=p.textContent,b=make('button','Copy',p.parentNode,p.nextSibling);b.type='button';
    b.addEventListener('click',function(){navigator.clipboard.writeText(code).then(function(){b.textContent='Copied'})})});
    })();
    """
}
